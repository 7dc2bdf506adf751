// The sign-in page: it asks for a one-time link by e-mail, offers single sign-on if that is set up, and redeems a link. The code of a
// link is removed from the address bar before it is used.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { askForLink, redeemLink } from './api.ts';
import type { Failure } from './api.ts';
import { FailureNote } from './failure.tsx';
import { useRefresh } from './refresh.ts';
import { Brand } from './shell.tsx';
import { explain, farewell, methods, product, refreshSession, screen, session } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

type Step =
  | { at: 'form' }
  | { at: 'sending' }
  | { at: 'sent'; email: string; link: string | null; resendAt: number }
  | { at: 'redeeming' };

const step = signal<Step>({ at: 'form' });
/** The text of the last error, with the failed call if there was one. */
const error = signal<{ text: string; failure?: Failure } | null>(null);
/** The address that was typed, so that it need not be typed again. */
let typed = '';
const now = signal(Date.now());
const RESEND_MS = 30_000;
/** The key of the path to open after the sign-in. It is in localStorage, where the tab of the mailed link can read it. */
const RETURN_KEY = 'return-to';

export function SignIn() {
  useEffect(() => {
    const answer = new URLSearchParams(location.search).get('error');
    if (answer !== null) {
      // Anybody can write this link, and "constructor" is a property of every object.
      const known = Object.hasOwn(texts.signIn.errors, answer) ? answer : 'sign-in-failed';
      error.value = { text: texts.signIn.errors[known] ?? '' };
    }
    addEventListener('hashchange', redeemFromAddress);
    const clock = setInterval(() => (now.value = Date.now()), 1000);
    if (location.hash.startsWith('#code=')) redeemFromAddress();
    else if (session.value !== null) location.replace('/developer-zone');
    return () => {
      removeEventListener('hashchange', redeemFromAddress);
      clearInterval(clock);
    };
  }, []);
  // The member may have signed in in another tab, with the link. Then this tab continues, and keeps all typed text.
  useRefresh(async (unattended) => {
    const isWaiting = step.value.at === 'sent' || (farewell.value === 'ended' && screen.value !== 'sign-in');
    if (unattended || !isWaiting || !(await refreshSession())) return;
    if (screen.value === 'sign-in') location.replace('/developer-zone');
  });
  const { value } = step;
  return (
    <main class="alone" id="content">
      <div class="sign-in">
        <Brand />
        {farewell.value !== null && (
          <p class="note" role="status">
            <Text of={farewell.value === 'ended' ? texts.signIn.ended : texts.signIn.signedOut} />
          </p>
        )}
        {value.at === 'sent' ? <Sent {...value} /> : <Form busy={value.at} />}
        {error.value?.failure !== undefined && <FailureNote failure={error.value.failure} />}
      </div>
    </main>
  );
}

function Form({ busy }: { busy: 'form' | 'sending' | 'redeeming' }) {
  const { link, ...others } = methods;
  // Each of the other methods leads to another site. Its button has the name of the site.
  const sites = Object.entries(others).flatMap(([method, site]) =>
    site === null ? [] : [{ method, name: site.name }],
  );
  const back = encodeURIComponent(rememberPlace());
  const email = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The field gets the focus when the page is opened. After the end of a session the heading gets it, which says what happened.
    if (farewell.value === null && document.activeElement === document.body) email.current?.focus();
  }, []);
  return (
    <>
      <h1 tabIndex={-1}>{texts.signIn.title}</h1>
      <p class="quiet">{texts.signIn.lead(product.name)}</p>
      {link && (
        <form noValidate onSubmit={submit}>
          <label for="email">{texts.signIn.email}</label>
          <input
            id="email"
            ref={email}
            name="email"
            type="email"
            autocomplete="email"
            inputMode="email"
            required
            defaultValue={typed}
            aria-invalid={error.value?.text === texts.signIn.badAddress}
            aria-describedby="sign-in-error"
          />
          <p id="sign-in-error" role="alert" class="error">
            <Text of={error.value?.text ?? ''} />
          </p>
          <button type="submit" class="button primary wide" aria-disabled={busy !== 'form'}>
            <Text
              of={
                busy === 'redeeming'
                  ? texts.signIn.redeeming
                  : busy === 'sending'
                    ? texts.signIn.sending
                    : texts.signIn.send
              }
            />
          </button>
        </form>
      )}
      {!link && error.value !== null && (
        <p role="alert" class="error">
          {error.value.text}
        </p>
      )}
      {link && sites.length > 0 && <p class="divider">{texts.signIn.or}</p>}
      {sites.map(({ method, name }) => (
        <a key={method} class="button wide" href={`/api/sign-in/${method}?return_to=${back}`}>
          {texts.signIn.sso(name)}
        </a>
      ))}
      {!link && sites.length === 0 && <p class="note">{texts.signIn.closed}</p>}
    </>
  );
}

function Sent({ email, link, resendAt }: { email: string; link: string | null; resendAt: number }) {
  const wait = Math.ceil((resendAt - now.value) / 1000);
  return (
    <>
      <h1 tabIndex={-1}>{texts.signIn.sentTitle}</h1>
      <p role="status">
        <Text of={texts.signIn.sentBody(email)} />
      </p>
      {link !== null && (
        <div class="note">
          <p>{texts.signIn.localNote}</p>
          <a class="button primary wide" href={link}>
            {texts.signIn.localLink}
          </a>
        </div>
      )}
      <p id="sign-in-error" role="alert" class="error">
        <Text of={error.value?.text ?? ''} />
      </p>
      <p class="row-of-buttons">
        <button
          type="button"
          class="button"
          aria-disabled={wait > 0}
          onClick={() => wait <= 0 && void send(email)}
        >
          <Text of={wait > 0 ? texts.signIn.resendIn(wait) : texts.signIn.resend} />
        </button>
        <button type="button" class="button plain" onClick={() => (step.value = { at: 'form' })}>
          {texts.signIn.other}
        </button>
      </p>
    </>
  );
}

function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }): void {
  event.preventDefault();
  if (step.value.at !== 'form') return;
  const email = String(new FormData(event.currentTarget).get('email') ?? '').trim();
  if (!/^\S+@\S+\.\S+$/.test(email)) {
    error.value = { text: texts.signIn.badAddress };
    document.getElementById('email')?.focus();
    return;
  }
  void send(email);
}

async function send(email: string): Promise<void> {
  const before = step.value;
  typed = email;
  error.value = null;
  if (before.at === 'form') step.value = { at: 'sending' };
  const outcome = await askForLink(email);
  if (!outcome.ok) {
    step.value = before;
    fail(outcome.failure, 'invalid-body', texts.signIn.badAddress);
    return;
  }
  now.value = Date.now();
  step.value = { at: 'sent', email, link: outcome.value.link ?? null, resendAt: now.value + RESEND_MS };
}

/** Shows a failure. `text` is used for the expected slug. */
function fail(failure: Failure, expected: Failure['slug'], text: string): void {
  error.value = { text: failure.slug === expected ? text : explain(failure), failure };
}

function redeemFromAddress(): void {
  const code = location.hash.replace('#code=', '');
  if (code === '' || code === location.hash) return;
  history.replaceState(null, '', location.pathname + location.search);
  void redeem(code);
}

async function redeem(code: string): Promise<void> {
  step.value = { at: 'redeeming' };
  const outcome = await redeemLink(code);
  if (outcome.ok) {
    location.replace(placeToReturnTo());
    return;
  }
  step.value = { at: 'form' };
  fail(outcome.failure, 'sign-in-link-invalid', texts.signIn.invalid);
}

function rememberPlace(): string {
  const path = location.pathname.startsWith('/sign-in') ? null : location.pathname + location.search;
  if (path !== null) localStorage.setItem(RETURN_KEY, path);
  return path ?? localStorage.getItem(RETURN_KEY) ?? '/developer-zone';
}

function placeToReturnTo(): string {
  const path = localStorage.getItem(RETURN_KEY) ?? '';
  localStorage.removeItem(RETURN_KEY);
  return /^\/(?:developer-zone(?:\/tokens\/[\w-]+)?|activity|sessions)(?:\?|$)/.test(path)
    ? path
    : '/developer-zone';
}
