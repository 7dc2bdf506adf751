// The table of tokens: five columns as the product document names them; on phones each row becomes a card.
import { signal } from './signal.ts';
import { Trash2 } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { formatClock, formatDay, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { SecondLine } from './second-line.tsx';
import { Sparkline } from './sparkline.tsx';
import {
  dialog,
  isUnchanged,
  maskOf,
  online,
  organisationId,
  removeToken,
  replaceToken,
  setPlan,
  toast,
  toastFailure,
} from './state.ts';
import { texts } from './texts.ts';

/** Which tokens wait for the server's receipt, and for what. */
const pending = signal<Record<string, boolean>>({});
const slow = signal(false);
const SLOW_MS = 3000;

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
        <SecondLine token={token} />
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
