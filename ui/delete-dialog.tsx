// Confirms a deletion: names the token, says that it is permanent and immediate, and begins at Cancel.
import { useSignal } from './signal.ts';
import { deleteToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import { formatClock } from './format.ts';
import { dialog, toast } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { judge, labelOf, removeToken } from './tokens.ts';

export function DeleteDialog({ token }: { token: Token }) {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const unchanged = useSignal(true);
  const label = labelOf(token);
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const remove = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    const outcome = await deleteToken(token);
    const verdict = outcome.ok ? 'gone' : await judge(token, outcome.failure);
    busy.value = false;
    if (verdict === 'gone') {
      finish(
        token,
        outcome.ok
          ? texts.remove.done(label, formatClock(outcome.value.effectiveAt))
          : texts.remove.gone(label),
      );
    } else if (verdict === 'shown') dialog.value = null;
    else if (!outcome.ok) {
      unchanged.value = verdict === 'unchanged';
      failure.value = outcome.failure;
    }
  };
  return (
    <Dialog
      labelledBy="delete-title"
      describedBy="delete-body"
      role="alertdialog"
      guarded={busy.value}
      onClose={close}
    >
      <h2 id="delete-title">
        <Text of={texts.remove.title(label)} />
      </h2>
      <div id="delete-body">
        <p>{texts.remove.body}</p>
        {token.active && <p class="quiet">{texts.remove.pause}</p>}
      </div>
      <DialogFailure
        failure={failure.value}
        lead={unchanged.value ? texts.remove.failed(label) : texts.unsure(label)}
      />
      <footer>
        <button type="button" class="button" autofocus onClick={close}>
          {texts.cancel}
        </button>
        <button
          type="button"
          class="button destructive steady"
          aria-disabled={busy.value}
          onClick={() => void remove()}
        >
          <Text of={busy.value ? texts.remove.busy : texts.remove.confirm} />
        </button>
      </footer>
    </Dialog>
  );
}

/** The button that opened the dialog is gone with its row: focus goes to the next row, else the previous, else Create. */
function finish(token: Token, message: string): void {
  const buttons = [...document.querySelectorAll<HTMLElement>('[data-delete]')];
  const index = buttons.findIndex((button) => button.dataset['delete'] === token.id);
  const next = buttons[index + 1] ?? buttons[index - 1] ?? document.getElementById('create');
  removeToken(token);
  dialog.value = null;
  toast('ok', message);
  requestAnimationFrame(() =>
    (next?.isConnected === true ? next : document.getElementById('create'))?.focus(),
  );
}
