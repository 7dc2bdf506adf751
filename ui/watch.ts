// Work that follows the state of the page, outside of its components.
import { computed, effect, untracked } from '@preact/signals';

/**
 * Runs `react` with what `read` answers: now, and whenever a change makes it answer something else. It follows what `read`
 * reads, and not what `react` reads, which may change the same signals.
 */
export function watch<T>(read: () => T, react: (value: T) => void): void {
  const answer = computed(read);
  effect(() => {
    const { value } = answer;
    untracked(() => react(value));
  });
}
