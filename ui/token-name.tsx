// The name of a token and its last use. Renames in place: Enter and leaving keep, Esc leaves the old name, and a name that is
// refused stays in its field.
import { useSignal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { Pencil } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { formatAgo, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { NO_LOGIN } from './no-login.ts';
import { renaming, report, typed } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { maskOf, patchToken, settleFailure } from './tokens.ts';

/** The name, a click away from being another. */
export function TokenName({ token }: { token: Token }) {
  if (renaming.value === token.id) return <Rename token={token} />;
  return (
    <button type="button" class="rename" data-rename={token.id} onClick={() => (renaming.value = token.id)}>
      <span class="hidden">{texts.tokens.renameName(maskOf(token))}: </span>
      <span
        key={token.name}
        class={token.name === null ? 'name unnamed' : 'name'}
        title={token.name ?? undefined}
        translate={token.name === null}
      >
        {token.name ?? texts.tokens.unnamed}
      </span>
      <Icon of={Pencil} size={12} />
    </button>
  );
}

export function LastUse({ at }: { at: string | null }) {
  return (
    <span title={at === null ? undefined : formatFull(at)}>
      <Text of={at === null ? texts.tokens.neverUsed : texts.tokens.lastUsed(formatAgo(at))} />
    </span>
  );
}

function Rename({ token }: { token: Token }) {
  const busy = useSignal(false);
  const refused = useSignal('');
  const draft = `rename ${token.id}`;
  useLayoutEffect(() => document.querySelector<HTMLInputElement>('.rename-field')?.select(), []);
  const leave = (): void => {
    typed.delete(draft);
    // The place may have changed meanwhile, and another field be open.
    if (renaming.value !== token.id) return;
    const inField = document.activeElement?.matches('.rename-field') === true;
    renaming.value = null;
    if (inField)
      requestAnimationFrame(() =>
        document.querySelector<HTMLElement>(`[data-rename="${token.id}"]`)?.focus(),
      );
  };
  const save = async (form: HTMLFormElement): Promise<void> => {
    if (busy.value || renaming.value !== token.id) return;
    const name = String(new FormData(form).get('name') ?? '').trim() || null;
    if (name === token.name) {
      leave();
      return;
    }
    busy.value = true;
    refused.value = '';
    const outcome = await changeToken(token, { name });
    busy.value = false;
    if (outcome.ok) {
      patchToken(token, { name: outcome.value.token.name });
      leave();
      return;
    }
    const { failure } = outcome;
    const text = await settleFailure(token, failure, texts.tokens.notRenamed);
    if (text === null) return;
    if (renaming.value === token.id) refused.value = text;
    else report(token, 'error', text, { failure });
  };
  return (
    <form
      class="rename-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save(event.currentTarget);
      }}
      // A refused name waits for another try: leaving the field does not send it again.
      onFocusOut={(event) => refused.value === '' && void save(event.currentTarget)}
    >
      <input
        class="rename-field"
        name="name"
        maxLength={50}
        autocomplete="off"
        {...NO_LOGIN}
        readOnly={busy.value}
        aria-busy={busy.value}
        aria-invalid={refused.value !== ''}
        aria-describedby={`refused-${token.id}`}
        defaultValue={typed.get(draft) ?? token.name ?? ''}
        aria-label={texts.tokens.nameField(maskOf(token))}
        onInput={(event) => {
          typed.set(draft, event.currentTarget.value);
          refused.value = '';
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave();
        }}
      />
      <span id={`refused-${token.id}`} role="alert" class="error">
        <Text of={refused.value} />
      </span>
    </form>
  );
}
