// A visible page stays up to date: it loads again when it gets the focus, when the network is back, and twice a minute.
import { useEffect, useRef } from 'preact/hooks';

const EVERY_MS = 30_000;
/** A focus within this time after the last load does not load again. */
const SOON_MS = 10_000;

/** Loads again while the component is on the page. `unattended`: a timer caused the load, not a person. */
export function useRefresh(load: (unattended: boolean) => unknown): void {
  const newest = useRef(load);
  newest.current = load;
  useEffect(() => {
    let at = Date.now();
    const again = (after: number, unattended: boolean): void => {
      if (document.visibilityState !== 'visible' || Date.now() - at < after) return;
      at = Date.now();
      newest.current(unattended);
    };
    const look = (): void => again(SOON_MS, false);
    const back = (): void => again(0, false);
    const timer = setInterval(again, EVERY_MS, SOON_MS, true);
    addEventListener('visibilitychange', look);
    addEventListener('focus', look);
    addEventListener('online', back);
    return () => {
      clearInterval(timer);
      removeEventListener('visibilitychange', look);
      removeEventListener('focus', look);
      removeEventListener('online', back);
    };
  }, []);
}
