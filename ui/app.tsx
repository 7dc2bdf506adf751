// Which screen is shown: sign-in for whoever has no session, else the one that the URL names, inside the shell.
import { effect, signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DeveloperZone } from './developer-zone.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { dialog, followPlace, organisation, product, screen, session } from './state.ts';
import { texts } from './texts.ts';
import { Toasts } from './toasts.tsx';

const TITLES = {
  'sign-in': texts.signIn.title,
  'developer-zone': texts.developerZone,
  activity: texts.activity,
  sessions: texts.sessions,
};

effect(() => followPlace());
effect(() => {
  const title = session.value === null ? texts.signIn.title : TITLES[screen.value];
  document.title = [title, organisation.value?.name, product.name].filter(Boolean).join(' · ');
});

/** Screens that are fetched when they are first opened: the token page is what most visits are for. */
const late = signal<{ activity?: ComponentType; sessions?: ComponentType }>({});
effect(() => {
  if (screen.value === 'activity' && late.peek().activity === undefined) {
    void import('./activity.tsx').then(
      ({ Activity }) => (late.value = { ...late.value, activity: Activity }),
    );
  }
  if (screen.value === 'sessions' && late.peek().sessions === undefined) {
    void import('./sessions.tsx').then(
      ({ Sessions }) => (late.value = { ...late.value, sessions: Sessions }),
    );
  }
});

export function App() {
  const open = dialog.value;
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
  const Late = screen.value === 'activity' ? late.value.activity : late.value.sessions;
  return Late === undefined ? <p class="quiet" aria-busy="true" /> : <Late />;
}
