// The frame of every screen for a signed-in member: organisation, navigation, account. On phones it is a drawer with a menu button.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CodeXml, History, Lock, LogOut, Menu, Contrast, Monitor, X } from 'lucide';
import { signOut } from './api.ts';
import { Icon } from './icon.tsx';
import { Monogram, OrganisationSelect } from './organisation-select.tsx';
import {
  drawer,
  farewell,
  follow,
  isOpen,
  linkTo,
  online,
  organisation,
  product,
  screen,
  session,
  toastFailure,
} from './state.ts';
import type { Screen } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

// A wide page has no drawer. An open drawer would keep the wide page inert.
matchMedia('(width > 760px)').addEventListener('change', () => (drawer.value = false));
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const theme = signal<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system');
const YEAR_SECONDS = 31_536_000;

export function Shell({ children }: { children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const shown = screen.value;
  useEffect(() => {
    // A new screen gets the focus at its heading, for keyboards and screen readers. The browser decides for the first screen.
    // A field of the new screen that has the focus keeps it.
    if (!first.current && main.current?.contains(document.activeElement) !== true)
      main.current?.querySelector('h1')?.focus();
    first.current = false;
    drawer.value = false;
  }, [shown]);
  return (
    <div class="shell" onKeyDown={(event) => drawer.value && event.key === 'Escape' && shut()}>
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <header class="topbar">
        <button
          type="button"
          class="icon-button"
          aria-expanded={drawer.value}
          aria-controls="sidebar"
          onClick={() => (drawer.value = !drawer.value)}
        >
          <Icon of={drawer.value ? X : Menu} size={20} />
          <span class="hidden">
            <Text of={drawer.value ? texts.closeMenu : texts.menu} />
          </span>
        </button>
        <Place />
      </header>
      <aside id="sidebar" class={drawer.value ? 'sidebar open' : 'sidebar'}>
        {organisation.value === null && <Brand />}
        {session.value?.organisations.length !== 0 && <OrganisationSelect onChoice={shut} />}
        <nav aria-label={texts.navigation}>
          <ul>
            <li>
              <ZoneLink />
            </li>
            {isOpen.value && (
              <li>
                <NavLink to="activity" icon={History} label={texts.activity} />
              </li>
            )}
          </ul>
        </nav>
        <Account />
      </aside>
      {drawer.value && <div class="scrim" onClick={() => (drawer.value = false)} />}
      <main id="content" ref={main} tabIndex={-1} inert={drawer.value}>
        <div role="status">{!online.value && <p class="banner">{texts.offline}</p>}</div>
        {children}
      </main>
    </div>
  );
}

/** Closes the drawer of a phone, and moves the focus to the menu button, because the drawer is hidden. A wide page has no such button. */
function shut(): void {
  drawer.value = false;
  document.querySelector<HTMLElement>('.topbar button')?.focus();
}

/** The organisation of the page, beside the menu button of a phone. */
function Place() {
  const { value } = organisation;
  if (value === null) return <Brand />;
  return (
    <>
      <p class="place-name" key={value.id} translate={false}>
        {value.name}
      </p>
      <Monogram of={value.name} />
    </>
  );
}

export function Brand() {
  return (
    <p class="brand" translate={false}>
      <img src="/favicon.svg" alt="" width="24" height="24" />
      {product.name}
    </p>
  );
}

/** The page of a token is a part of the Developer Zone. */
const currentOf = (to: Screen): 'page' | 'true' | undefined =>
  screen.value === to ? 'page' : screen.value === 'token' && to === 'developer-zone' ? 'true' : undefined;

function NavLink({ to, icon, label }: { to: Exclude<Screen, 'token'>; icon: typeof History; label: string }) {
  return (
    <a class="nav-link" href={linkTo(to)} aria-current={currentOf(to)} onClick={follow}>
      <Icon of={icon} />
      {label}
    </a>
  );
}

function ZoneLink() {
  const locked = organisation.value !== null && !isOpen.value;
  if (!locked) return <NavLink to="developer-zone" icon={CodeXml} label={texts.developerZone} />;
  return (
    <span class="tip-anchor" onKeyDown={hideTip} onMouseEnter={showTip} onFocusIn={showTip}>
      <a
        class="nav-link locked"
        href={linkTo('developer-zone')}
        aria-current={currentOf('developer-zone')}
        aria-describedby="plan-tip"
        onClick={follow}
      >
        <Icon of={CodeXml} />
        {texts.developerZone}
        <Icon of={Lock} size={15} />
        <span class="hidden">{texts.locked}</span>
      </a>
      <span id="plan-tip" role="tooltip" class="tip">
        {texts.planRequiredTip}
      </span>
    </span>
  );
}

// WCAG 1.4.13: Esc hides the tooltip, and focus and pointer stay where they are. The next visit shows it again.
function hideTip(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key === 'Escape') event.currentTarget.dataset['dismissed'] = '';
}
function showTip(event: { currentTarget: HTMLElement }): void {
  delete event.currentTarget.dataset['dismissed'];
}

function Account() {
  const current = THEMES.indexOf(theme.value);
  const next = THEMES[(current + 1) % THEMES.length] ?? 'system';
  return (
    <div class="account">
      <NavLink to="sessions" icon={Monitor} label={texts.sessions} />
      <div class="account-row">
        <span class="account-email" translate={false} title={session.value?.member.email}>
          {session.value?.member.email}
        </span>
        <button
          type="button"
          class="icon-button"
          title={texts.theme[theme.value]}
          onClick={() => chooseTheme(next)}
        >
          <Icon of={Contrast} />
          <span class="hidden">
            <Text of={`${texts.theme.label}: ${texts.theme[theme.value]}`} />
          </span>
        </button>
        <button type="button" class="icon-button" title={texts.signOut} onClick={() => void leave(signOut)}>
          <Icon of={LogOut} />
          <span class="hidden">{texts.signOut}</span>
        </button>
      </div>
    </div>
  );
}

/** The theme is in a cookie and not in storage, so that the Worker can write it into the next page. */
function chooseTheme(next: Theme): void {
  const system = next === 'system';
  const { dataset } = document.documentElement;
  theme.value = next;
  if (system) delete dataset['theme'];
  else dataset['theme'] = next;
  document.cookie = `theme=${next}; Max-Age=${system ? 0 : YEAR_SECONDS}; Path=/; SameSite=Lax`;
}

export async function leave(end: typeof signOut): Promise<void> {
  const outcome = await end();
  if (!outcome.ok && outcome.failure.slug !== 'sign-in-required') {
    toastFailure(outcome.failure);
    return;
  }
  farewell.value = 'signed-out';
  session.value = null;
}
