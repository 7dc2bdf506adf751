// Parts of the dashboard that are loaded when they are first needed: most visits need only the list of tokens.
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { dialog } from './state.ts';

type Part<T> = {
  /** Null until it has come. */
  loaded: ReadonlySignal<T | 'missing' | null>;
  /** `reloads`: the page may load again where the script does not come. Under an open dialog it may not. */
  load(reloads: boolean): Promise<void>;
};

function part<T>(fetchModules: () => Promise<T>): Part<T> {
  const loaded = signal<T | 'missing' | null>(null);
  let isAsked = false;
  const load = async (reloads: boolean): Promise<void> => {
    if (isAsked) return;
    isAsked = true;
    try {
      loaded.value = await fetchModules();
    } catch {
      // A browser may remember the failure, so the page itself must load again. It does so at once if the server answers: the script
      // may belong to an older deployment, and a new page has the new name. After a reload it waits, because the script is missing.
      const [how] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      if (reloads && how?.type !== 'reload' && (await isAnswering())) location.reload();
      else loaded.value = 'missing';
    }
  };
  addEventListener('online', () => loaded.value === 'missing' && dialog.value === null && location.reload());
  return { loaded, load };
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

/** The page of a token, and what the dialogs about a token need. */
export const ofToken = part(async () => {
  const { tokenPart } = await import('./token-part.tsx');
  return tokenPart;
});
