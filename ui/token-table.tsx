// The table of tokens: five columns as the product document names them; on phones each row becomes a card.
import { signal } from './signal.ts';
import { useEffect } from 'preact/hooks';
import { Pencil, Trash2 } from 'lucide';
import { changeToken } from './api.ts';
import { formatAgo, formatClock, formatCount, formatDay, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import {
  dialog,
  isUnchanged,
  loadTokens,
  mayHaveHappened,
  online,
  organisationId,
  removeToken,
  replaceToken,
  setPlan,
  toast,
  toastFailure,
  usage,
} from './state.ts';
import type { Token } from './state.ts';
import { texts } from './texts.ts';

/** Which tokens wait for the server's receipt, and for what. */
const pending = signal<Record<string, boolean>>({});
const slow = signal(false);
const renaming = signal<string | null>(null);
const SLOW_MS = 3000;

export const maskOf = (token: Token): string => `${token.preview}***`;

export function TokenTable({ rows }: { rows: Token[] }) {
  return (
    <>
      <table>
        <thead>
          <tr>
            {texts.tokens.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((token) => (
            <Row key={token.id} token={token} />
          ))}
        </tbody>
      </table>
      <p role="status" class="slow">
        {slow.value ? texts.toggle.slow : ''}
      </p>
    </>
  );
}

function Row({ token }: { token: Token }) {
  const mask = maskOf(token);
  const wanted = pending.value[token.id];
  const busy = wanted !== undefined;
  return (
    <tr aria-busy={busy} class={busy ? 'busy' : undefined}>
      <td class="cell-token">
        <code class="mask">{mask}</code>
        <Sparkline id={token.id} />
        {renaming.value === token.id ? <Rename token={token} /> : <SecondLine token={token} />}
      </td>
      <td class="cell-status">
        <Badge active={token.active} wanted={wanted} />
      </td>
      <td class="cell-by">
        <Email of={token.createdBy} />
      </td>
      <td class="cell-at">
        <time dateTime={token.createdAt} title={formatFull(token.createdAt)}>
          {formatDay(token.createdAt)}
        </time>
      </td>
      <td class="cell-actions">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          aria-label={texts.tokens.switchName(mask)}
          checked={wanted ?? token.active}
          onClick={(event) => {
            // Left alone, the thumb moves at once; a cancelled click would put it back after the redraw.
            if (busy || !online.value) event.preventDefault();
            if (!busy) void toggle(token, !token.active);
          }}
        />
        <button
          type="button"
          class="icon-button danger"
          data-delete={token.id}
          aria-label={texts.tokens.deleteName(mask)}
          title={texts.tokens.deleteName(mask)}
          onClick={() => {
            if (online.value) dialog.value = { kind: 'delete', token };
            else toast('error', texts.offlineNow);
          }}
        >
          <Icon of={Trash2} />
        </button>
      </td>
    </tr>
  );
}

/** May break before the @, not in the middle of a name. */
export function Email({ of }: { of: string }) {
  const at = Math.max(0, of.lastIndexOf('@'));
  return (
    <>
      {of.slice(0, at)}
      <wbr />
      {of.slice(at)}
    </>
  );
}

function Badge({ active, wanted }: { active: boolean; wanted: boolean | undefined }) {
  if (wanted !== undefined) {
    return <span class="badge pending">{wanted ? texts.tokens.activating : texts.tokens.deactivating}</span>;
  }
  return (
    <span class={active ? 'badge active' : 'badge'}>
      {active ? texts.tokens.active : texts.tokens.inactive}
    </span>
  );
}

function SecondLine({ token }: { token: Token }) {
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
  useEffect(() => document.querySelector<HTMLInputElement>('.rename-field')?.select(), []);
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

/** Accepted and refused calls of the last 24 hours, an hour a bar; the words say the same. */
function Sparkline({ id }: { id: string }) {
  const hours = usage.value[id];
  if (hours === undefined) return null;
  const { accepted, refused } = hours;
  const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
  const top = Math.max(1, ...accepted.map((value, hour) => value + (refused[hour] ?? 0)));
  const label = texts.tokens.calls(formatCount(sum(accepted)), formatCount(sum(refused)));
  return (
    <svg class="spark" viewBox="0 0 96 18" width="96" height="18" role="img" aria-label={label}>
      <title>{label}</title>
      {accepted.map((value, hour) => {
        const good = (value / top) * 16;
        const bad = ((refused[hour] ?? 0) / top) * 16;
        return (
          <g key={hour}>
            <rect class="base" x={hour * 4} y={17} width="3" height="1" />
            {value > 0 && <rect class="good" x={hour * 4} y={17 - good} width="3" height={good} />}
            {bad > 0 && <rect class="bad" x={hour * 4} y={17 - good - bad} width="3" height={bad} />}
          </g>
        );
      })}
    </svg>
  );
}

/** Moves the thumb at once and settles when the server's receipt has come: a switch is a security act. */
async function toggle(token: Token, active: boolean): Promise<void> {
  const mask = maskOf(token);
  const organisation = organisationId.value ?? '';
  if (!online.value) {
    toast('error', texts.offlineNow);
    return;
  }
  pending.value = { ...pending.value, [token.id]: active };
  const timer = setTimeout(() => (slow.value = true), SLOW_MS);
  const outcome = await changeToken(organisation, token.id, { active });
  clearTimeout(timer);
  const { [token.id]: _, ...others } = pending.value;
  pending.value = others;
  if (Object.keys(others).length === 0) slow.value = false;
  if (outcome.ok) {
    const at = formatClock(outcome.value.effectiveAt);
    replaceToken(outcome.value.token);
    if (active) toast('ok', texts.toggle.activated(mask, at));
    else {
      toast('ok', texts.toggle.deactivated(mask, at), {
        action: { label: texts.toggle.undo, run: () => void toggle(outcome.value.token, true) },
      });
    }
    return;
  }
  const { failure } = outcome;
  if (failure.slug === 'sign-in-required') return;
  if (failure.slug === 'enterprise-plan-required') setPlan(organisation);
  else if (failure.slug === 'token-not-found') {
    removeToken(token.id);
    toast('error', texts.toggle.gone(mask));
  } else {
    const unchanged = await isUnchanged(token, failure);
    toastFailure(failure, unchanged ? texts.toggle.failed(mask, token.active) : texts.unsure(mask), {
      label: texts.tryAgain,
      run: () => void toggle(token, active),
    });
  }
}
