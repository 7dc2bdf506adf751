// Confirms a deletion: names the token, says that it is permanent and immediate, and begins at Cancel.
import { useSignal } from './signal.ts';
import { deleteToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import { formatClock } from './format.ts';
import { dialog, isUnchanged, maskOf, organisationId, removeToken, setPlan, toast } from './state.ts';
import { texts } from './texts.ts';

export function DeleteDialog({ token }: { token: Token }) {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const unchanged = useSignal(true);
  const mask = maskOf(token);
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const remove = async (): Promise<void> => {
    if (busy.value) return;
    const id = organisationId.value ?? '';
    busy.value = true;
    failure.value = null;
    const outcome = await deleteToken(id, token.id);
    if (!outcome.ok) unchanged.value = await isUnchanged(token, outcome.failure);
    busy.value = false;
    if (outcome.ok) finish(token, texts.remove.done(mask, formatClock(outcome.value.effectiveAt)));
    else if (outcome.failure.slug === 'token-not-found') finish(token, texts.remove.gone(mask));
    else if (outcome.failure.slug === 'sign-in-required') dialog.value = null;
    else if (outcome.failure.slug === 'enterprise-plan-required') {
      dialog.value = null;
      setPlan(id);
    } else failure.value = outcome.failure;
  };
  return (
    <Dialog
      labelledBy="delete-title"
      describedBy="delete-body"
      role="alertdialog"
      guarded={busy.value}
      onClose={close}
    >
      <h2 id="delete-title">{texts.remove.title(mask)}</h2>
      <div id="delete-body">
        {token.name !== null && <p class="quiet">{token.name}</p>}
        <p>{texts.remove.body}</p>
        {token.active && <p class="quiet">{texts.remove.pause}</p>}
      </div>
      <DialogFailure
        failure={failure.value}
        lead={unchanged.value ? texts.remove.failed(mask) : texts.unsure(mask)}
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
          {busy.value ? texts.remove.busy : texts.remove.confirm}
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
  removeToken(token.id);
  dialog.value = null;
  toast('ok', message);
  requestAnimationFrame(() =>
    (next?.isConnected === true ? next : document.getElementById('create'))?.focus(),
  );
}
