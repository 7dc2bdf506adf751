// The end of a dialog that asks for a change: what has failed, Cancel, and the button that makes the change.
import { useEffect, useRef } from 'preact/hooks';
import type { Failure } from './api.ts';
import { FailureNote } from './failure.tsx';
import { explain } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

type Props = {
  busy: boolean;
  failure: Failure | null;
  /** The beginning of the sentence about the failure. */
  lead: string;
  cancel?: string;
  confirm: string;
  /** In place of `confirm` while it is busy. */
  waiting: string;
  /** The button is red, and Cancel has the focus. */
  destructive?: boolean;
  disabled?: boolean;
  onCancel: () => void;
  /** Without it the button submits the form. */
  onConfirm?: () => void;
};

export function DialogFoot({
  busy,
  failure,
  lead,
  cancel = texts.cancel,
  confirm,
  waiting,
  destructive = false,
  disabled,
  onCancel,
  onConfirm,
}: Props) {
  return (
    <>
      <DialogFailure failure={failure} lead={lead} />
      <footer>
        <button type="button" class="button" autofocus={destructive} onClick={onCancel}>
          {cancel}
        </button>
        <button
          type={onConfirm === undefined ? 'submit' : 'button'}
          class={`button steady ${destructive ? 'destructive' : 'primary'}`}
          aria-disabled={busy || disabled === true}
          onClick={onConfirm}
        >
          <Text of={busy ? waiting : confirm} />
        </button>
      </footer>
    </>
  );
}

/** Always on the page, and empty without a failure: a live region must exist before its text. */
function DialogFailure({ failure, lead }: { failure: Failure | null; lead: string }) {
  const element = useRef<HTMLDivElement>(null);
  // A long dialog may be scrolled away from it.
  useEffect(() => {
    if (failure !== null) element.current?.scrollIntoView({ block: 'nearest' });
  }, [failure]);
  return (
    <div role="alert" class="dialog-error" ref={element}>
      {failure !== null && (
        <>
          <p>
            <Text of={`${lead} ${explain(failure)}`} />
          </p>
          <FailureNote failure={failure} />
        </>
      )}
    </div>
  );
}
