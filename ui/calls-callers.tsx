// Who calls with a token: by network, country and client. Shares are approximate, because an isolate looks at one call of many.
import { signal } from '@preact/signals';
import type { CallsOfToken, Token } from './api.ts';
import { words } from './calls-texts.ts';
import { focusWhenDrawn } from './focus.ts';
import { nameOf, newcomers } from './foresight.ts';
import { formatBrief, formatCount, formatFull } from './format.ts';
import { Text } from './text.tsx';
import { callsOf } from './token-calls.ts';
import { totalsOf } from './totals.ts';

/** More are shown on request. */
const SHOWN = 5;
/** The token of which all callers are shown. */
const unfolded = signal('');

export function CallersCard({ token }: { token: Token }) {
  const load = callsOf(token);
  return (
    <section class="card" aria-labelledby="callers" aria-busy={load.state === 'loading'}>
      <header class="card-head">
        <h2 id="callers">{words.who}</h2>
        <span class="hint">{words.approximate}</span>
      </header>
      {load.state === 'ready' && load.value.callers.length > 0 ? (
        <Callers token={token} calls={load.value} />
      ) : (
        <p class="hollow" role="status">
          <Text
            of={
              load.state === 'loading'
                ? words.loading
                : load.state === 'failed'
                  ? words.unknownWho
                  : isSilent(load.value)
                    ? words.none
                    : words.notKnownWho
            }
          />
        </p>
      )}
    </section>
  );
}

function isSilent({ days, hours }: CallsOfToken): boolean {
  const [month, day] = [totalsOf(days), totalsOf(hours)];
  return month.accepted + month.refused + day.accepted + day.refused === 0;
}

function Callers({ token, calls }: { token: Token; calls: CallsOfToken }) {
  const { callers, others } = calls;
  const fresh = newcomers(calls, token.createdAt);
  // One that is left over is shown as well.
  const isFolded = unfolded.value !== token.id && callers.length > SHOWN + 1;
  const hidden = isFolded ? callers.length - SHOWN : 0;
  const shown = callers.slice(0, callers.length - hidden);
  return (
    <>
      <table class="callers">
        <thead>
          <tr>
            {words.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((caller, index) => {
            const { network, country, agent } = caller;
            return (
              <tr key={`${network?.number} ${country} ${agent}`} tabIndex={index === SHOWN ? -1 : undefined}>
                <th scope="row">
                  <span class="network" translate={false}>
                    {nameOf(caller)}
                  </span>
                  {fresh.has(caller) && (
                    <span class="warn" title={words.freshTitle}>
                      {words.fresh}
                    </span>
                  )}
                  <span class={country === null ? 'second placeless' : 'second'}>
                    {country !== null && words.country(country)}
                    {/* Where there is no room for its column. */}
                    <span class="client" translate={false}>
                      {country === null ? agent : ` · ${agent}`}
                    </span>
                  </span>
                </th>
                <td translate={false}>{agent}</td>
                <Counts {...caller} />
              </tr>
            );
          })}
          {others !== null && hidden === 0 && (
            <tr key="others">
              <th scope="row" class="quiet">
                {words.others}
              </th>
              <td />
              <Counts {...others} />
            </tr>
          )}
        </tbody>
      </table>
      {hidden > 0 && (
        <button
          type="button"
          class="button link more-callers"
          onClick={() => {
            unfolded.value = token.id;
            // The button is removed. The first row that it has shown gets the focus.
            focusWhenDrawn('tr[tabindex]');
          }}
        >
          <Text of={words.more(hidden)} />
        </button>
      )}
    </>
  );
}

function Counts({ accepted, refused, lastAt }: { accepted: number; refused: number; lastAt: string }) {
  return (
    <>
      <td>
        <Text of={formatCount(accepted)} />
        {refused > 0 && (
          <span class="second refused">
            <Text of={words.alsoRefused(refused)} />
          </span>
        )}
      </td>
      <td>
        <time dateTime={lastAt} title={formatFull(lastAt)}>
          <Text of={formatBrief(lastAt)} />
        </time>
      </td>
    </>
  );
}
