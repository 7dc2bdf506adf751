// The end of a dialog that asks for a change: what has failed, Cancel, and the button that makes the change.
import type { Failure } from './api.ts';
import { DialogFailure } from './failure.tsx';
import { Text } from './text.tsx';
import { texts } from './texts.ts';

type Props = {
  busy: boolean;
  failure: Failure | null;
  /** The beginning of the sentence about the failure. */
  lead: string;
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
  confirm,
  waiting,
  destructive = false,
  disabled = false,
  onCancel,
  onConfirm,
}: Props) {
  return (
    <>
      <DialogFailure failure={failure} lead={lead} />
      <footer>
        <button type="button" class="button" autofocus={destructive} onClick={onCancel}>
          {texts.cancel}
        </button>
        <button
          type={onConfirm === undefined ? 'submit' : 'button'}
          class={`button steady ${destructive ? 'destructive' : 'primary'}`}
          aria-disabled={busy || disabled}
          onClick={onConfirm}
        >
          <Text of={busy ? waiting : confirm} />
        </button>
      </footer>
    </>
  );
}
