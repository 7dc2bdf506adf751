// The heading of the page of a token, in which the token is renamed. Enter, or leaving the field, saves the name. Esc keeps the old
// name. A name that is refused stays in its field.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Pencil } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { focusWhenDrawn } from './focus.ts';
import { Icon } from './icon.tsx';
import { NO_LOGIN } from './no-login.ts';
import { boot, renaming, report, typed } from './state.ts';
import { Text, asIs } from './text.tsx';
import { words } from './token-page-texts.ts';
import { maskOf, patchToken, settleFailure } from './tokens.ts';

/** The name, or a field for it while it is renamed. */
export function NameHeading({ token }: { token: Token }) {
  const isRenaming = renaming.value === token.id;
  return (
    <div class="name-heading">
      <h1 tabIndex={-1} class={isRenaming ? 'hidden' : ''} translate={token.name === null}>
        <span key={token.name}>{token.name ?? words.noName}</span>
      </h1>
      {isRenaming ? (
        <Rename token={token} />
      ) : (
        <button
          type="button"
          class="icon-button"
          data-rename={token.id}
          title={words.rename}
          onClick={() => (renaming.value = token.id)}
        >
          <Icon of={Pencil} size={16} />
          <span class="hidden">
            <Text of={words.renameName(asIs(maskOf(token)))} />
          </span>
        </button>
      )}
    </div>
  );
}

function Rename({ token }: { token: Token }) {
  const busy = useSignal(false);
  const refused = useSignal('');
  const draft = `rename ${token.id}`;
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const leave = (): void => {
    typed.delete(draft);
    // The page may have changed meanwhile, and another field may be open.
    if (renaming.value !== token.id) return;
    const inField = document.activeElement?.matches('.rename-field') === true;
    renaming.value = null;
    if (inField) focusWhenDrawn(`[data-rename="${token.id}"]`);
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
    const text = await settleFailure(token, failure, words.notRenamed);
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
      // When a name was refused, leaving the field does not send it again.
      onFocusOut={(event) => refused.value === '' && void save(event.currentTarget)}
    >
      <input
        ref={field}
        class="rename-field"
        name="name"
        maxLength={boot.most.name}
        autocomplete="off"
        {...NO_LOGIN}
        readOnly={busy.value}
        aria-busy={busy.value}
        aria-invalid={refused.value !== ''}
        aria-describedby={`refused-${token.id}`}
        defaultValue={typed.get(draft) ?? token.name ?? ''}
        aria-label={words.nameField(maskOf(token))}
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
