// The quiet line under a mask: name and last use. Renames in place: Enter and leaving keep, Esc leaves the old name.
import { signal } from './signal.ts';
import { useLayoutEffect } from 'preact/hooks';
import { Pencil } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { formatAgo, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { loadTokens, maskOf, mayHaveHappened, organisationId, replaceToken, toastFailure } from './state.ts';
import { texts } from './texts.ts';

const renaming = signal<string | null>(null);

/** The name, a click away from being another, and when the token was last used. */
export function SecondLine({ token }: { token: Token }) {
  if (renaming.value === token.id) return <Rename token={token} />;
  const mask = maskOf(token);
  const used =
    token.lastUsedAt === null ? texts.tokens.neverUsed : texts.tokens.lastUsed(formatAgo(token.lastUsedAt));
  return (
    <span class="second">
      <button type="button" class="rename" data-rename={token.id} onClick={() => (renaming.value = token.id)}>
        <span class="hidden">{texts.tokens.renameName(mask)}: </span>
        <span class="name">{token.name ?? texts.tokens.unnamed}</span>
        <Icon of={Pencil} size={12} />
      </button>
      <span title={token.lastUsedAt === null ? undefined : formatFull(token.lastUsedAt)}>{used}</span>
    </span>
  );
}

function Rename({ token }: { token: Token }) {
  useLayoutEffect(() => document.querySelector<HTMLInputElement>('.rename-field')?.select(), []);
  const leave = (): void => {
    renaming.value = null;
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-rename="${token.id}"]`)?.focus());
  };
  const save = async (event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim() || null;
    leave();
    if (name === token.name) return;
    replaceToken({ ...token, name });
    const outcome = await changeToken(organisationId.value ?? '', token.id, { name });
    if (outcome.ok) replaceToken(outcome.value.token);
    else {
      replaceToken(token);
      toastFailure(outcome.failure);
      if (mayHaveHappened(outcome.failure)) void loadTokens();
    }
  };
  return (
    <form class="second" onSubmit={save} onFocusOut={(event) => event.currentTarget.requestSubmit()}>
      <input
        class="rename-field"
        name="name"
        maxLength={50}
        autocomplete="off"
        defaultValue={token.name ?? ''}
        aria-label={texts.tokens.nameField(maskOf(token))}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.currentTarget.value = token.name ?? '';
          leave();
        }}
      />
    </form>
  );
}
