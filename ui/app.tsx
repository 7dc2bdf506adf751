// Which screen is shown: sign-in for whoever has no session, else the one that the URL names, inside the shell.
import { signal, watch } from './signal.ts';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DeveloperZone } from './developer-zone.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Sessions } from './sessions.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { dialog, online, organisation, product, screen, session } from './state.ts';
import { texts } from './texts.ts';
import { Toasts } from './toasts.tsx';

const TITLES = {
  'sign-in': texts.signIn.title,
  'developer-zone': texts.developerZone,
  activity: texts.activity,
  sessions: texts.sessions,
};

watch(
  () => {
    const title = session.value === null ? texts.signIn.title : TITLES[screen.value];
    return [title, organisation.value?.name, product.name].filter(Boolean).join(' · ');
  },
  (title) => (document.title = title),
);

/** Fetched when it is first opened: the token page is what most visits are for. */
const late = signal<ComponentType | null>(null);
watch(
  () => session.value !== null && screen.value === 'activity' && online.value,
  (opened) => {
    if (!opened) return;
    import('./activity.tsx').then(
      ({ Activity }) => (late.value = Activity),
      // A chunk of an older deployment is gone: the page of today knows the new names.
      () => location.reload(),
    );
  },
);

let last: Element | undefined;
addEventListener('focusin', ({ target }) => (last = target as Element));

export function App() {
  const open = dialog.value;
  // What had the focus is gone with this change: the heading has it then, not the top of the page.
  useEffect(() => {
    if (last?.isConnected === false && document.activeElement === document.body)
      document.querySelector('h1')?.focus({ preventScroll: true });
  });
  return (
    <>
      {session.value === null || screen.value === 'sign-in' ? (
        <SignIn />
      ) : (
        <Shell>
          <Screen />
        </Shell>
      )}
      {open?.kind === 'create' && <CreateDialog />}
      {open?.kind === 'secret' && <SecretDialog token={open.token} secret={open.secret} />}
      {open?.kind === 'delete' && <DeleteDialog token={open.token} />}
      <Toasts />
    </>
  );
}

function Screen() {
  if (screen.value === 'developer-zone') return <DeveloperZone />;
  if (screen.value === 'sessions') return <Sessions />;
  const Late = late.value;
  return Late === null ? <h1 tabIndex={-1}>{texts.activity}</h1> : <Late />;
}
