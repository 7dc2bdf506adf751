// The dialog that creates a token. It makes one token, however often the button is pressed.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { createToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { tryToDelete } from './deletion.ts';
import { Dialog } from './dialog.tsx';
import { words } from './dialog-texts.ts';
import { NEW_DRAFT, chosen, hasMore, refusalOf } from './draft.ts';
import type { Draft, Refusal } from './draft.ts';
import { DialogFoot } from './dialog-foot.tsx';
import { focusWhenDrawn } from './focus.ts';
import { LimitFields } from './limit-fields.tsx';
import { mayDo } from './may-do.ts';
import { NO_LOGIN } from './no-login.ts';
import { boot, dialog, followFailure, isTold, toast, typed } from './state.ts';
import type { Organisation } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { addToken, labelOf, mayHaveHappened, removeToken } from './tokens.ts';

/** What was chosen and not used yet, by the id of the organisation. In the memory of the page alone. */
const drafts = new Map<string, Draft>();

/** `organisation`: the token is created there, even if the page shows another organisation by then. */
export function CreateDialog({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const draft = `create ${id}`;
  const name = useSignal(typed.get(draft) ?? '');
  const limits = useSignal(drafts.get(id) ?? NEW_DRAFT);
  const isUnfolded = useSignal(hasMore(limits.value));
  const refusal = useSignal<Refusal | null>(null);
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lost = useSignal<Token | null>(null);
  // One key for the life of the dialog, so that a repeat after a lost answer makes no second token.
  const key = useRef(crypto.randomUUID());
  // Once an answer was lost, a refusal of the repeat does not tell what the first call did.
  const unsure = useSignal(false);
  // After a lost answer the choices stand: the repeat must be the same call.
  const isFixed = busy.value || unsure.value;
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const change = (part: Partial<Draft>): void => {
    limits.value = { ...limits.value, ...part };
    drafts.set(id, limits.value);
    refusal.value = null;
  };
  const refuse = (found: Refusal): void => {
    refusal.value = found;
    if (found.field !== 'name') isUnfolded.value = true;
    focusWhenDrawn(`dialog [data-field="${found.field}"]`);
  };
  const create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    if (limits.value.ending === 'date' && limits.value.expiresAt === null) {
      refuse({ field: 'expiresAt', text: words.create.noDate });
      return;
    }
    busy.value = true;
    failure.value = null;
    const given = name.value.trim();
    const json = { ...(given === '' ? {} : { name: given }), ...chosen(limits.value) };
    const outcome = await createToken(id, json, key.current);
    const isShown = !outcome.ok && (isTold(outcome.failure) || (await followFailure(id, outcome.failure)));
    busy.value = false;
    if (!outcome.ok) {
      // The page shows the failure: the sign-in, another member, the plan or the choice of an organisation.
      if (isShown) dialog.value = null;
      else {
        unsure.value ||= mayHaveHappened(outcome.failure);
        const found = refusalOf(outcome.failure);
        if (found === null) failure.value = outcome.failure;
        else refuse(found);
      }
      return;
    }
    typed.delete(draft);
    drafts.delete(id);
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
    toast('ok', words.remove.gone(labelOf(token)));
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
        <h2 id="create-title">{words.create.lostTitle}</h2>
        <p id="create-body">
          <Text of={words.create.lost(labelOf(token))} />
        </p>
        <DialogFoot
          busy={busy.value}
          failure={failure.value}
          lead={texts.unsure(labelOf(token))}
          cancel={words.create.keep}
          confirm={words.create.deleteLost(labelOf(token))}
          waiting={words.remove.busy}
          destructive
          onCancel={close}
          onConfirm={() => void discard(token)}
        />
      </Dialog>
    );
  }
  const refused = refusal.value?.field === 'name' ? refusal.value.text : '';
  return (
    <Dialog
      labelledBy="create-title"
      describedBy="create-body create-may"
      guarded={busy.value}
      filled={name.value !== '' || limits.value !== NEW_DRAFT}
      onClose={close}
    >
      {/* The Worker says what is wrong, in the words of this page. */}
      <form noValidate onSubmit={create}>
        <h2 id="create-title">{words.create.title}</h2>
        <p id="create-body">{words.create.body}</p>
        <label for="create-name">{words.create.name}</label>
        <input
          id="create-name"
          data-field="name"
          maxLength={boot.most.name}
          autocomplete="off"
          autofocus
          placeholder={words.create.namePlaceholder}
          {...NO_LOGIN}
          readOnly={isFixed}
          aria-invalid={refused !== ''}
          aria-describedby="create-hint create-refused"
          defaultValue={name.value}
          onInput={({ currentTarget: { value } }) => {
            typed.set(draft, value);
            name.value = value;
            refusal.value = null;
          }}
        />
        <span id="create-refused" role="alert" class="error">
          <Text of={refused} />
        </span>
        <p id="create-hint" class="hint">
          {words.create.nameHint}
        </p>
        <fieldset class="choices pair" disabled={isFixed}>
          <legend>{words.create.may}</legend>
          {(['read', 'full'] as const).map((access) => (
            <label key={access}>
              <input
                type="radio"
                name="access"
                checked={limits.value.access === access}
                onChange={() => change({ access })}
              />
              {words.create.access[access]}
            </label>
          ))}
        </fieldset>
        <details
          class="more-limits"
          open={isUnfolded.value}
          onToggle={({ currentTarget: { open } }) => (isUnfolded.value = open)}
        >
          <summary>
            {words.create.more} <span class="hint">{words.create.moreHint}</span>
          </summary>
          <LimitFields draft={limits.value} refusal={refusal.value} isFixed={isFixed} change={change} />
        </details>
        <p id="create-may" class="may" role="status">
          <Text of={mayDo(chosen(limits.value), organisation.name)} />
        </p>
        <DialogFoot
          busy={busy.value}
          failure={failure.value}
          lead={unsure.value ? words.create.unsure : words.create.failed}
          confirm={words.create.confirm}
          waiting={words.create.busy}
          onCancel={close}
        />
      </form>
    </Dialog>
  );
}
