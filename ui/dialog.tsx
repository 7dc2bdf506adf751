// The native modal dialog: focus stays inside, Esc closes it, and a guarded one lets nothing close it by accident.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { held } from './state.ts';

type Props = {
  labelledBy: string;
  describedBy?: string;
  role?: 'alertdialog';
  /** Only the dialog's own buttons close it: Esc, the backdrop and the close watcher do not. It holds the place as well. */
  guarded?: boolean;
  /** Something was typed: a click beside the dialog does not close it. */
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
  // Before the next picture: a click that lands in between would go to what lies below. The focus goes to what is marked
  // `autofocus`, at once as well: moved later, it would take an Enter that was meant for another button.
  useLayoutEffect(() => {
    const node = element.current;
    node?.showModal();
    // It begins at its first words, also where the window is so low that the focus lies further down.
    node?.scrollTo(0, 0);
    // Which gives the focus back to what opened it.
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
      // `closedby` is not everywhere yet, and Chromium closes on a later Esc in spite of a cancelled `cancel`: all three hold.
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
