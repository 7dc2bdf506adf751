// The table of tokens, with five columns and two lines in a row. On phones each row is a card.
import { Trash2, TriangleAlert } from 'lucide';
import type { Token } from './api.ts';
import { Calls, CallsADay } from './calls.tsx';
import { exceptionOf } from './exception.ts';
import { formatDay, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { Receipt, Trouble } from './message.tsx';
import { dialog, receipts } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { LastUse, NameLink } from './token-name.tsx';
import { Slow, State, Switch, isPending, reachUndo } from './token-switch.tsx';
import { labelOf, lastUseOf, maskOf, usage } from './tokens.ts';

const CELLS = ['cell-token', 'cell-status', 'cell-by', 'cell-at', 'cell-actions'];

export function TokenTable({ rows }: { rows: Token[] }) {
  return (
    <>
      <table class="tokens">
        <thead>
          <tr>
            {texts.tokens.columns.map((column, index) => (
              <th key={column} scope="col" class={CELLS[index]}>
                {column}
                {index === 0 && <span class="calls-head"> {texts.tokens.callsHead}</span>}
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
      <Slow />
    </>
  );
}

function Row({ token }: { token: Token }) {
  const label = labelOf(token);
  const busy = isPending(token);
  return (
    <>
      <tr aria-busy={busy} class={busy ? 'busy' : undefined} onKeyDown={reachUndo}>
        <th scope="row" class="cell-token">
          <span class="token">
            <NameLink token={token} />
            <Calls id={token.id} />
            <span class="second">
              <code class="mask" translate={false}>
                {maskOf(token)}
              </code>
              {' · '}
              <LastUse at={lastUseOf(token)} />
              <CallsADay id={token.id} />
            </span>
          </span>
        </th>
        <td class="cell-status">
          <State token={token} />
          <Remark token={token} />
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
          <Switch token={token} />
          <button
            type="button"
            class="icon-button danger"
            data-delete={token.id}
            aria-label={texts.tokens.deleteName(label)}
            title={texts.tokens.deleteName(label)}
            onClick={() => (dialog.value = { kind: 'delete', token })}
          >
            <Icon of={Trash2} size={16} />
          </button>
        </td>
      </tr>
      {receipts.value[token.id]?.tone === 'error' && (
        <tr class="trouble">
          <td colSpan={5}>
            <Trouble token={token.id} />
          </td>
        </tr>
      )}
    </>
  );
}

/**
 * The line under the state: the result of the last switch for some seconds, else what is unusual about the token. `isTold`: the page
 * tells that elsewhere.
 */
export function Remark({ token, isTold = false }: { token: Token; isTold?: boolean }) {
  const isFree = !isTold && !isPending(token) && receipts.value[token.id]?.tone !== 'ok';
  const exception = isFree ? exceptionOf(token, usage.value?.[token.id]) : null;
  return (
    <div class="remark">
      <Receipt token={token.id} />
      {exception !== null && (
        <span class={exception.tone}>
          {exception.tone === 'bad' && <Icon of={TriangleAlert} size={13} />}
          <Text of={exception.text} />
        </span>
      )}
    </div>
  );
}

/** An address may break before the @, and nowhere else. */
function Email({ of }: { of: string }) {
  const at = Math.max(0, of.lastIndexOf('@'));
  return (
    <span translate={false} title={of}>
      {of.slice(0, at)}
      <wbr />
      {of.slice(at)}
    </span>
  );
}
