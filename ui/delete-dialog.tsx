// Confirms a deletion: names the token, says that it is permanent and immediate, and begins at Cancel.
import { useSignal } from '@preact/signals';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import { formatClock } from './format.ts';
import { dialog, toast } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { labelOf, removeToken, tryToDelete } from './tokens.ts';

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
    const deletion = await tryToDelete(token);
    busy.value = false;
    if (deletion.is === 'gone') {
      const { at } = deletion;
      finish(token, at === null ? texts.remove.gone(label) : texts.remove.done(label, formatClock(at)));
    } else if (deletion.is === 'shown') dialog.value = null;
    else {
      unchanged.value = deletion.is === 'unchanged';
      failure.value = deletion.failure;
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
