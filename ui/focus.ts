// The focus, when the element that has it is removed from the page: the heading gets it then, not the top of the document.

let last: Element | undefined;
addEventListener('focusin', ({ target }) => (last = target as Element));

const isLost = (): boolean => last?.isConnected === false && document.activeElement === document.body;

/** Looks after every change of what `root` holds. */
export function keepFocus(root: Element): void {
  let due = false;
  const repair = (): void => {
    due = false;
    if (isLost()) document.querySelector('h1')?.focus({ preventScroll: true });
  };
  new MutationObserver(() => {
    if (due || !isLost()) return;
    due = true;
    // After the next picture: the code that made the change may move the focus itself.
    requestAnimationFrame(() => setTimeout(repair));
  }).observe(root, { childList: true, subtree: true });
}
