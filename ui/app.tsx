// Chooses the screen: sign-in without a session, else the screen in the URL, inside the shell.
import { DeveloperZone } from './developer-zone.tsx';
import { LateDialog } from './late-dialog.tsx';
import { ofToken, screens } from './late.ts';
import { Toasts } from './message.tsx';
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

watch(
  () => (session.value === null ? null : screen.value),
  (opened) => {
    if (opened === 'activity' || opened === 'sessions') void screens.load(true);
    if (opened === 'token') void ofToken.load(true);
  },
);

watch(
  () => dialog.value !== null,
  (isOpen) => isOpen && void ofToken.load(false),
);

// A click on a token or on Create should not wait for it.
watch(
  () => session.value !== null,
  (isSignedIn) => isSignedIn && (globalThis.requestIdleCallback ?? setTimeout)(() => void ofToken.ahead()),
);

export function App() {
  const isOpen = dialog.value !== null;
  const part = ofToken.loaded.value;
  return (
    <>
      {session.value === null || screen.value === 'sign-in' ? (
        <SignIn />
      ) : (
        <Shell>
          <Screen />
        </Shell>
      )}
      {isOpen && (part === null || part === 'missing' ? <LateDialog /> : <part.Dialogs />)}
      <Toasts />
    </>
  );
}

function Screen() {
  const { value } = screen;
  if (value === 'developer-zone' || value === 'sign-in') return <DeveloperZone />;
  const Loaded = value === 'token' ? of(ofToken.loaded.value, 'Page') : of(screens.loaded.value, value);
  if (Loaded !== null && Loaded !== 'missing') return <Loaded />;
  return (
    <>
      <h1 tabIndex={-1}>{TITLES[value]}</h1>
      {Loaded === 'missing' && (
        <LoadFailure
          failure={{ slug: 'network', status: 0, detail: null, requestId: null, retryAfter: null }}
          title={texts.scriptFailed(TITLES[value])}
          retry={() => (value === 'token' ? ofToken : screens).again()}
        />
      )}
    </>
  );
}

/** One of what a part has, once it has come. */
function of<Has extends object, Name extends keyof Has>(loaded: Has | 'missing' | null, name: Name) {
  return loaded === null || loaded === 'missing' ? loaded : (loaded as Has)[name];
}
