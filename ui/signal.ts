// State that the screens read: setting one redraws the page, once for all that changed together. The page is small and
// its tree is compared by Preact anyway, so nothing here tracks who reads what.
import { useState } from 'preact/hooks';

export type Signal<T> = { value: T };

let redraw: () => void = () => {};
let due = false;
const watchers: (() => void)[] = [];

/** Says how the page is drawn; it is drawn after every change from now on. */
export function drawWith(draw: () => void): void {
  redraw = draw;
  settle();
}

export function signal<T>(initial: T): Signal<T> {
  let current = initial;
  return {
    get value() {
      return current;
    },
    set value(next) {
      if (Object.is(next, current)) return;
      current = next;
      if (due) return;
      due = true;
      queueMicrotask(settle);
    },
  };
}

/** A value that follows from others; nothing is kept. */
export function computed<T>(read: () => T): { readonly value: T } {
  return {
    get value() {
      return read();
    },
  };
}

/** Runs `react` with what `read` answers: now, and whenever a change makes it answer something else. */
export function watch<T>(read: () => T, react: (value: T) => void): void {
  let last: T | symbol = Symbol('never read');
  watchers.push(() => {
    const next = read();
    if (Object.is(next, last)) return;
    last = next;
    react(next);
  });
}

/** A signal of one component, for as long as it is on the page. */
export const useSignal = <T>(initial: T): Signal<T> => useState(() => signal(initial))[0];

function settle(): void {
  due = false;
  for (const look of watchers) look();
  redraw();
}
