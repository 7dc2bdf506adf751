// Which screen is shown: sign-in without a session, else the one that the URL names, inside the shell.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { CreateDialog } from './create-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DeveloperZone } from './developer-zone.tsx';
import { Toasts } from './message.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Sessions } from './sessions.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { dialog, organisation, product, screen, session } from './state.ts';
import { LoadFailure } from './failure.tsx';
import { texts } from './texts.ts';
import { watch } from './watch.ts';

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
const late = signal<ComponentType | 'missing' | null>(null);
watch(
  () => session.value !== null && screen.value === 'activity',
  (opened) => {
    if (opened && late.value === null) void fetchActivity();
  },
);

async function fetchActivity(): Promise<void> {
  try {
    const { Activity } = await import('./activity.tsx');
    late.value = Activity;
  } catch {
    // A browser may keep the failure: the page loads again. At once where the server answers, for a script of an older
    // deployment is gone and the page of today knows the new name; but not twice, for then the script is missing today.
    const [how] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    const answers = await fetch('/robots.txt', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answers?.ok === true && how?.type !== 'reload') location.reload();
    else late.value = 'missing';
  }
}
addEventListener('online', () => late.value === 'missing' && location.reload());

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
      {open?.kind === 'create' && <CreateDialog organisation={open.organisation} />}
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
  if (Late !== null && Late !== 'missing') return <Late />;
  return (
    <>
      <h1 tabIndex={-1}>{texts.activity}</h1>
      {Late === 'missing' && (
        <LoadFailure
          failure={{ slug: 'network', status: 0, detail: null, requestId: null, retryAfter: null }}
          title={texts.activityFailed}
          retry={() => location.reload()}
        />
      )}
    </>
  );
}
