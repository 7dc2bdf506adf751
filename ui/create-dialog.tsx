// Confirms a creation and makes it: one token however often the button is pressed, and nothing half-made on failure.
import { useSignal } from './signal.ts';
import { useRef } from 'preact/hooks';
import { createToken, deleteToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import {
  addToken,
  dialog,
  loadTokens,
  maskOf,
  mayHaveHappened,
  organisation,
  organisationId,
  setPlan,
  toast,
} from './state.ts';
import { texts } from './texts.ts';

export function CreateDialog() {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lost = useSignal<Token | null>(null);
  // One key for the life of this dialog: a repeat after a lost answer makes no second token.
  const key = useRef(crypto.randomUUID());
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const create = async (event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const id = organisationId.value ?? '';
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    busy.value = true;
    failure.value = null;
    const outcome = await createToken(id, name, key.current);
    busy.value = false;
    if (!outcome.ok) {
      if (outcome.failure.slug === 'sign-in-required') dialog.value = null;
      else if (outcome.failure.slug === 'enterprise-plan-required') {
        dialog.value = null;
        setPlan(id);
      } else failure.value = outcome.failure;
      return;
    }
    const { token, secret } = outcome.value;
    addToken(token);
    if (secret === null) lost.value = token;
    else dialog.value = { kind: 'secret', token, secret };
  };
  const discard = async (token: Token): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    const outcome = await deleteToken(organisationId.value ?? '', token.id);
    busy.value = false;
    if (!outcome.ok && outcome.failure.slug !== 'token-not-found') {
      failure.value = outcome.failure;
      return;
    }
    await loadTokens();
    dialog.value = null;
    toast('ok', texts.remove.gone(maskOf(token)));
  };
  if (lost.value !== null) {
    const token = lost.value;
    return (
      <Dialog
        key="lost"
        labelledBy="create-title"
        describedBy="create-body"
        guarded={busy.value}
        onClose={close}
      >
        <h2 id="create-title">{texts.create.lostTitle}</h2>
        <p id="create-body">{texts.create.lost(maskOf(token))}</p>
        <DialogFailure failure={failure.value} lead={texts.unsure(maskOf(token))} />
        <footer>
          <button type="button" class="button" autofocus onClick={close}>
            {texts.create.keep}
          </button>
          <button
            type="button"
            class="button destructive"
            aria-disabled={busy.value}
            onClick={() => void discard(token)}
          >
            {texts.create.deleteLost(maskOf(token))}
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <Dialog labelledBy="create-title" describedBy="create-body" guarded={busy.value} onClose={close}>
      <form onSubmit={create}>
        <h2 id="create-title">{texts.create.title}</h2>
        <p id="create-body">
          {texts.create.body} {texts.create.where(organisation.value?.name ?? '')}
        </p>
        <label for="create-name">{texts.create.name}</label>
        <input
          id="create-name"
          name="name"
          maxLength={50}
          autocomplete="off"
          aria-describedby="create-hint"
        />
        <p id="create-hint" class="hint">
          {texts.create.nameHint}
        </p>
        <DialogFailure
          failure={failure.value}
          lead={
            failure.value !== null && mayHaveHappened(failure.value)
              ? texts.create.unsure
              : texts.create.failed
          }
        />
        <footer>
          <button type="button" class="button" autofocus onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="button primary steady" aria-disabled={busy.value}>
            {busy.value ? texts.create.busy : texts.create.confirm}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
