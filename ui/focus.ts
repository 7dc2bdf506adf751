// Moves the focus where an element with the focus is removed from the page: to the element that follows, or to the heading.

let last: Element | undefined;
addEventListener('focusin', ({ target }) => (last = target as Element));

const isLost = (): boolean => last?.isConnected === false && document.activeElement === document.body;

/** Moves the focus to an element that the page draws after this change. */
export function focusWhenDrawn(selector: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

/** Checks the focus after every change inside `root`. */
export function keepFocus(root: Element): void {
  let due = false;
  const repair = (): void => {
    due = false;
    if (isLost()) document.querySelector('h1')?.focus({ preventScroll: true });
  };
  new MutationObserver(() => {
    if (due || !isLost()) return;
    due = true;
    // After the next frame, because the code that made the change may move the focus itself.
    requestAnimationFrame(() => setTimeout(repair));
  }).observe(root, { childList: true, subtree: true });
}
