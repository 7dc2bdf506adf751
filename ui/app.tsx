// Chooses the screen: sign-in without a session, else the screen in the URL, inside the shell.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DeveloperZone } from './developer-zone.tsx';
import { Toasts } from './message.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { dialog, organisation, product, screen, session } from './state.ts';
import { LoadFailure } from './failure.tsx';
import { texts } from './texts.ts';
import { tokenName } from './tokens.ts';
import { watch } from './watch.ts';

const TITLES = {
  'sign-in': texts.signIn.title,
  'developer-zone': texts.developerZone,
  token: texts.token,
  activity: texts.activity,
  sessions: texts.sessions,
};

watch(
  () => {
    const title = session.value === null ? texts.signIn.title : (tokenName.value ?? TITLES[screen.value]);
    return [title, organisation.value?.name, product.name].filter(Boolean).join(' · ');
  },
  (title) => (document.title = title),
);

/** These are loaded, in one file, when one of them is first opened: most visits need only the list of tokens. */
type Late = Record<'activity' | 'token' | 'sessions' | 'rotation', ComponentType>;
const late = signal<Late | 'missing' | null>(null);
watch(
  () => session.value !== null && screen.value !== 'sign-in' && screen.value !== 'developer-zone',
  (opened) => {
    if (opened && late.value === null) void fetchLate();
  },
);

async function fetchLate(): Promise<void> {
  try {
    const [{ Activity }, { TokenPage }, { Sessions }, { RotationDialogs }] = await Promise.all([
      import('./activity.tsx'),
      import('./token-page.tsx'),
      import('./sessions.tsx'),
      import('./rotation.tsx'),
    ]);
    late.value = { activity: Activity, token: TokenPage, sessions: Sessions, rotation: RotationDialogs };
  } catch {
    // A browser may remember the failure, so the page itself must load again. It does so at once if the server answers: the script
    // may belong to an older deployment, and a new page has the new name. After a reload it waits, because the script is missing.
    const [how] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    const answers = await fetch('/robots.txt', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answers?.ok === true && how?.type !== 'reload') location.reload();
    else late.value = 'missing';
  }
}
addEventListener('online', () => late.value === 'missing' && location.reload());

export function App() {
  const open = dialog.value;
  const loaded = late.value;
  return (
    <>
      {session.value === null || screen.value === 'sign-in' ? (
        <SignIn />
      ) : (
        <Shell>
          <Screen />
        </Shell>
      )}
      {open?.kind === 'create' && <CreateDialog organisation={open.organisation} />}
      {open?.kind === 'secret' && <SecretDialog {...open} />}
      {open?.kind === 'delete' && <DeleteDialog token={open.token} />}
      {loaded !== null && loaded !== 'missing' && <loaded.rotation />}
      <Toasts />
    </>
  );
}

function Screen() {
  const { value } = screen;
  if (value === 'developer-zone' || value === 'sign-in') return <DeveloperZone />;
  const loaded = late.value;
  if (loaded !== null && loaded !== 'missing') {
    const Loaded = loaded[value];
    return <Loaded />;
  }
  return (
    <>
      <h1 tabIndex={-1}>{TITLES[value]}</h1>
      {loaded === 'missing' && (
        <LoadFailure
          failure={{ slug: 'network', status: 0, detail: null, requestId: null, retryAfter: null }}
          title={texts.scriptFailed(TITLES[value])}
          retry={() => location.reload()}
        />
      )}
    </>
  );
}
