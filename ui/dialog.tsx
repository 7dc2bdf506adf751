// The native modal dialog: the focus stays inside, Esc closes it, and a guarded dialog cannot be closed by accident.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { held } from './state.ts';

type Props = {
  labelledBy: string;
  describedBy?: string;
  role?: 'alertdialog';
  /** Only the dialog's own buttons close it: Esc, the backdrop and the close watcher do not. It also prevents navigation. */
  guarded?: boolean;
  /** A field has text, so a click beside the dialog does not close it. */
  filled?: boolean;
  onClose: () => void;
  children: ComponentChildren;
};

export function Dialog({
  labelledBy,
  describedBy,
  role,
  guarded = false,
  filled = false,
  onClose,
  children,
}: Props) {
  const element = useRef<HTMLDialogElement>(null);
  // In the same frame: a click in between would go to the page below. The focus moves to the `autofocus` element at once:
  // a later move could redirect an Enter to another button.
  useLayoutEffect(() => {
    const node = element.current;
    node?.showModal();
    // Shows the beginning of the dialog, also when a low window has scrolled to the focus.
    node?.scrollTo(0, 0);
    // close() returns the focus to the element that opened the dialog.
    return () => node?.close();
  }, []);
  useLayoutEffect(() => {
    held.value = guarded;
    return () => {
      held.value = false;
    };
  }, [guarded]);
  return (
    <dialog
      ref={element}
      role={role}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      // Not every browser has `closedby`, and Chromium closes on a second Esc although `cancel` was cancelled. So three handlers.
      {...{ closedby: guarded ? 'none' : filled ? 'closerequest' : 'any' }}
      onKeyDown={(event) => guarded && event.key === 'Escape' && event.preventDefault()}
      onCancel={(event) => {
        event.preventDefault();
        if (!guarded) onClose();
      }}
      onClose={(event) => {
        if (!event.currentTarget.isConnected) return;
        if (guarded) event.currentTarget.showModal();
        else onClose();
      }}
    >
      {children}
    </dialog>
  );
}
