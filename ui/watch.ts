// Work outside of components that follows the state of the page.
import { computed, effect, untracked } from '@preact/signals';

/**
 * Calls `react` with the answer of `read`: now, and whenever that answer changes. Signals that only `react` reads are not followed,
 * so `react` may change them.
 */
export function watch<T>(read: () => T, react: (value: T) => void): void {
  const answer = computed(read);
  effect(() => {
    const { value } = answer;
    untracked(() => react(value));
  });
}
