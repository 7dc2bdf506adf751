// Confirms a deletion: it names the token, says that deletion is permanent and immediate, and gives Cancel the focus.
import { useSignal } from '@preact/signals';
import type { Failure, Token } from './api.ts';
import { tryToDelete } from './deletion.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { words } from './dialog-texts.ts';
import { ForesightNote } from './foresight-note.tsx';
import { formatClock } from './format.ts';
import { dialog, go, held, linkTo, screen, toast } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { LastUse } from './token-name.tsx';
import { labelOf, lastUseOf, maskOf, quoted, removeToken } from './tokens.ts';

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
      finish(token, at === null ? words.remove.gone(label) : words.remove.done(label, formatClock(at)));
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
        <Text of={words.remove.title(quoted(token))} />
      </h2>
      <div id="delete-body" class="dialog-body">
        <p class="quiet">
          <code class="mask" translate={false}>
            {maskOf(token)}
          </code>
          {' · '}
          <LastUse at={lastUseOf(token)} />
        </p>
        <ForesightNote token={token} />
        <p>{words.remove.body}</p>
        {token.retiring !== null && (
          <p>
            <Text of={words.remove.both(maskOf(token), `${token.retiring.preview}***`)} />
          </p>
        )}
        {token.active && <p class="quiet">{words.remove.pause}</p>}
      </div>
      <DialogFoot
        busy={busy.value}
        failure={failure.value}
        lead={unchanged.value ? words.remove.failed(label) : texts.unsure(label)}
        confirm={words.remove.confirm(quoted(token))}
        waiting={words.remove.busy}
        destructive
        onCancel={close}
        onConfirm={() => void remove()}
      />
    </Dialog>
  );
}

/**
 * Removes the token. Its own page goes back to the list. On the list, the button that opened the dialog is removed with its row, so
 * the focus moves to the next row, else to the previous one, else to Create.
 */
function finish(token: Token, message: string): void {
  if (screen.value === 'token') {
    held.value = false;
    dialog.value = null;
    go(linkTo('developer-zone', token.organisation));
    removeToken(token);
    toast('ok', message);
    return;
  }
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
