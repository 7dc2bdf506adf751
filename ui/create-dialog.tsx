// The dialog that creates a token. It makes one token, however often the button is pressed.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { createToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import { NO_LOGIN } from './no-login.ts';
import { dialog, followFailure, isTold, toast, typed } from './state.ts';
import type { Organisation } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { addToken, labelOf, mayHaveHappened, removeToken, tryToDelete } from './tokens.ts';

/** `organisation`: the token is created there, even if the page shows another organisation by then. */
export function CreateDialog({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const draft = `create ${id}`;
  const filled = useSignal((typed.get(draft) ?? '') !== '');
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lost = useSignal<Token | null>(null);
  // One key for the life of the dialog, so that a repeat after a lost answer makes no second token.
  const key = useRef(crypto.randomUUID());
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const create = async (event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    busy.value = true;
    failure.value = null;
    const outcome = await createToken(id, name, key.current);
    const isShown = !outcome.ok && (isTold(outcome.failure) || (await followFailure(id, outcome.failure)));
    busy.value = false;
    if (!outcome.ok) {
      // The page shows the failure: the sign-in, another member, the plan or the choice of an organisation.
      if (isShown) dialog.value = null;
      else failure.value = outcome.failure;
      return;
    }
    typed.delete(draft);
    const { token, secret } = outcome.value;
    addToken(token);
    if (secret === null) lost.value = token;
    else dialog.value = { kind: 'secret', token, secret };
  };
  const discard = async (token: Token): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    const deletion = await tryToDelete(token);
    busy.value = false;
    if ('failure' in deletion) {
      failure.value = deletion.failure;
      return;
    }
    dialog.value = null;
    if (deletion.is === 'shown') return;
    removeToken(token);
    toast('ok', texts.remove.gone(labelOf(token)));
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
        <p id="create-body">
          <Text of={texts.create.lost(labelOf(token))} />
        </p>
        <DialogFailure failure={failure.value} lead={texts.unsure(labelOf(token))} />
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
            <Text of={texts.create.deleteLost(labelOf(token))} />
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <Dialog
      labelledBy="create-title"
      describedBy="create-body"
      guarded={busy.value}
      filled={filled.value}
      onClose={close}
    >
      <form onSubmit={create}>
        <h2 id="create-title">{texts.create.title}</h2>
        <p id="create-body">
          <Text of={`${texts.create.body} ${texts.create.where(organisation.name)}`} />
        </p>
        <label for="create-name">{texts.create.name}</label>
        <input
          id="create-name"
          name="name"
          maxLength={50}
          autocomplete="off"
          autofocus
          placeholder={texts.create.namePlaceholder}
          {...NO_LOGIN}
          aria-describedby="create-hint"
          defaultValue={typed.get(draft) ?? ''}
          onInput={({ currentTarget: { value } }) => {
            typed.set(draft, value);
            filled.value = value !== '';
          }}
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
          <button type="button" class="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="button primary steady" aria-disabled={busy.value}>
            <Text of={busy.value ? texts.create.busy : texts.create.confirm} />
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
