// Parts of the dashboard that are loaded after the first paint: the first screen needs only the list of tokens.
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { dialog } from './state.ts';

type Part<T> = {
  /** Null until it has come. `missing` after a failure that somebody waited for. */
  loaded: ReadonlySignal<T | 'missing' | null>;
  /** Before anybody needs it. A failure is not told. */
  ahead(): Promise<void>;
  /** `reloads`: the page may load again where the script does not come. Under an open dialog it may not. */
  load(reloads: boolean): Promise<void>;
  /** For the button after a failure. */
  again(): Promise<void>;
};

function part<T>(fetchModules: () => Promise<T>): Part<T> {
  const loaded = signal<T | 'missing' | null>(null);
  let isComing: Promise<T> | null = null;
  const come = (): Promise<T> => (isComing ??= fetchModules().finally(() => (isComing = null)));
  const isHere = (): boolean => loaded.value !== null && loaded.value !== 'missing';
  // A browser may remember the failure, so the page itself must load again. It does so if the server answers: the script may belong to
  // an older deployment, and a new page has the new name.
  const attempt = async (mayReload: boolean): Promise<void> => {
    loaded.value = null;
    try {
      loaded.value = await come();
    } catch {
      if (mayReload && (await isAnswering())) location.reload();
      else loaded.value = 'missing';
    }
  };
  addEventListener('online', () => loaded.value === 'missing' && dialog.value === null && location.reload());
  return {
    loaded,
    ahead: async () => {
      if (loaded.value === null)
        await come().then(
          (came) => (loaded.value = came),
          () => {},
        );
    },
    load: async (reloads) => {
      if (loaded.value !== null) return;
      // After a reload it waits, because the script is missing.
      const [how] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      await attempt(reloads && how?.type !== 'reload');
    },
    again: async () => {
      if (!isHere()) await attempt(true);
    },
  };
}

async function isAnswering(): Promise<boolean> {
  const answer = await fetch('/robots.txt', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  return answer?.ok === true;
}

export const screens = part<Record<'activity' | 'sessions', ComponentType>>(async () => {
  const [{ Activity }, { Sessions }] = await Promise.all([
    import('./activity.tsx'),
    import('./sessions.tsx'),
  ]);
  return { activity: Activity, sessions: Sessions };
});

/** The page of a token, and the dialogs. */
export const ofToken = part(async () => {
  const { tokenPart } = await import('./token-part.tsx');
  return tokenPart;
});
