// The table of tokens: five columns as the product document names them; on phones each row becomes a card.
import { signal } from '@preact/signals';
import { Trash2 } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { formatClock, formatDay, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { Receipt, Trouble } from './message.tsx';
import { Sparkline } from './sparkline.tsx';
import { dialog, dismiss, receipts, report } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { LastUse, TokenName } from './token-name.tsx';
import { labelOf, maskOf, patchToken, settleFailure } from './tokens.ts';

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
        <Text of={slow.value ? texts.toggle.slow : ''} />
      </p>
    </>
  );
}

function Row({ token }: { token: Token }) {
  const label = labelOf(token);
  const wanted = pending.value[token.id];
  const busy = wanted !== undefined;
  return (
    <>
      <tr aria-busy={busy} class={busy ? 'busy' : undefined} onKeyDown={reachUndo}>
        <th scope="row" class="cell-token">
          <span class="first">
            <TokenName token={token} />
            <Sparkline id={token.id} />
          </span>
          <span class="second">
            <code class="mask" translate={false}>
              {maskOf(token)}
            </code>
            <LastUse at={token.lastUsedAt} />
          </span>
        </th>
        <td class="cell-status">
          <Badge active={token.active} wanted={wanted} />
          <Receipt token={token.id} />
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
            data-switch={token.id}
            aria-label={texts.tokens.switchName(label)}
            checked={wanted ?? token.active}
            onClick={(event) => {
              // Left alone, the thumb moves at once; a cancelled click would put it back after the redraw.
              if (busy) event.preventDefault();
              else void toggle(token, !token.active);
            }}
          />
          <button
            type="button"
            class="icon-button danger"
            data-delete={token.id}
            aria-label={texts.tokens.deleteName(label)}
            title={texts.tokens.deleteName(label)}
            onClick={() => (dialog.value = { kind: 'delete', token })}
          >
            <Icon of={Trash2} />
          </button>
        </td>
      </tr>
      <Trouble token={token.id} />
    </>
  );
}

/** Undo stands under the status, before the switch; from the switch it is the next Tab all the same, and back. */
function reachUndo(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== 'Tab') return;
  const find = (what: string) => event.currentTarget.querySelector<HTMLElement>(what);
  const undo = find('.receipt button');
  const from = event.target;
  const toggler = find('.switch');
  const next =
    from === toggler && !event.shiftKey
      ? undo
      : from === undo && undo !== null
        ? event.shiftKey
          ? toggler
          : find('[data-delete]')
        : null;
  if (next === null) return;
  event.preventDefault();
  next.focus();
}

/** May break before the @, not in the middle of a name. */
export function Email({ of }: { of: string }) {
  const at = Math.max(0, of.lastIndexOf('@'));
  return (
    <span translate={false}>
      {of.slice(0, at)}
      <wbr />
      {of.slice(at)}
    </span>
  );
}

function Badge({ active, wanted }: { active: boolean; wanted: boolean | undefined }) {
  const [state, word] =
    wanted !== undefined
      ? ['badge pending', wanted ? texts.tokens.activating : texts.tokens.deactivating]
      : active
        ? ['badge active', texts.tokens.active]
        : ['badge', texts.tokens.inactive];
  return (
    <span class={state}>
      <Text of={word} />
    </span>
  );
}

/** Moves the thumb at once and settles when the server's receipt has come: a switch is a security act. */
async function toggle(token: Token, active: boolean): Promise<void> {
  const last = receipts.value[token.id];
  if (last !== undefined) dismiss(last.id);
  // Undo and Try again are gone with their message.
  document.querySelector<HTMLElement>(`[data-switch="${token.id}"]`)?.focus();
  pending.value = { ...pending.value, [token.id]: active };
  const timer = setTimeout(() => (slow.value = true), SLOW_MS);
  const outcome = await changeToken(token, { active });
  clearTimeout(timer);
  const { [token.id]: _, ...others } = pending.value;
  pending.value = others;
  if (Object.keys(others).length === 0) slow.value = false;
  if (outcome.ok) {
    const at = formatClock(outcome.value.effectiveAt);
    const now = { ...token, active: outcome.value.token.active };
    patchToken(token, { active: now.active });
    if (active) report(token, 'ok', texts.toggle.activated(at));
    else {
      report(token, 'ok', texts.toggle.deactivated(at), {
        action: { label: texts.toggle.undo, run: () => void toggle(now, true) },
      });
    }
    return;
  }
  const { failure } = outcome;
  const text = await settleFailure(token, failure, texts.toggle.failed(labelOf(token), token.active));
  if (text === null) return;
  report(token, 'error', text, {
    failure,
    action: { label: texts.tryAgain, run: () => void toggle(token, active) },
  });
}
