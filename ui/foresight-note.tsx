// What a change will stop, in the dialog that confirms it. Its room is there before the answer, so that the dialog does not move.
import type { CallsOfToken, Token } from './api.ts';
import { words } from './calls-texts.ts';
import { callsOfValue, foresight, networksOf } from './foresight.ts';
import type { Network } from './foresight.ts';
import { formatCount } from './format.ts';
import { Text } from './text.tsx';
import { boot } from './state.ts';
import { useCalls } from './token-calls.ts';
import { knownUsage, lastUseOf } from './tokens.ts';
import { NO_CALLS, totalsOf } from './totals.ts';
import type { Load } from './state.ts';

/** `more`: a further sentence, where there are calls. `listed`: the networks in a list of their own, not in the sentence. */
export function ForesightNote({
  token,
  more,
  listed = false,
}: {
  token: Token;
  more?: ((calls: CallsOfToken) => string) | undefined;
  listed?: boolean;
}) {
  const load = useCalls(token);
  const inList = knownUsage.value;
  // Only a token that is called has more than a line.
  const isCalled = inList === null || totalsOf(inList[token.id] ?? NO_CALLS).accepted > 0;
  const calls = load.state === 'ready' && !load.stale ? load.value : null;
  return (
    <div
      class={`foresight ${isCalled ? (listed ? 'listed' : more === undefined ? 'tall' : 'tall more') : ''}`}
      role="status"
    >
      <p>
        <Text of={sentenceOf(token, load, listed)} />{' '}
        {more !== undefined && calls !== null && totalsOf(calls.hours).accepted > 0 && (
          <Text of={more(calls)} />
        )}
      </p>
      {listed && calls !== null && <Networks found={networksOf(calls.recent)} />}
    </div>
  );
}

/** As many as stand in the list. */
const SHOWN = 4;

function Networks({ found }: { found: Network[] }) {
  const shown = found.slice(0, found.length > SHOWN ? SHOWN - 1 : SHOWN);
  return (
    <ul>
      {shown.map(({ key, name, country, agents: [agent, ...others], calls }) => (
        <li key={key}>
          <span>
            <Text of={words.place(name, country)} />
          </span>
          <span class="quiet" translate={false}>
            {agent}
            {others.length > 0 && ` +${others.length}`}
          </span>
          <Text of={formatCount(calls)} />
        </li>
      ))}
      {found.length > SHOWN && (
        <li>
          <Text of={words.andMore(found.length - shown.length)} />
        </li>
      )}
    </ul>
  );
}

function sentenceOf(token: Token, load: Load<CallsOfToken>, listed: boolean): string {
  if (load.state === 'ready' && !load.stale)
    return foresight(
      {
        ...totalsOf(load.value.hours),
        recent: load.value.recent,
        isCut: load.value.recent.length >= boot.most.callers,
        isListed: listed,
      },
      lastUseOf(token),
    );
  const inList = knownUsage.value;
  if (inList === null) return load.state === 'loading' ? words.asking : words.notKnown;
  // The list of tokens has their number, but not who makes them.
  const known = totalsOf(inList[token.id] ?? NO_CALLS);
  const sentence = foresight({ ...known, recent: null }, lastUseOf(token));
  return load.state === 'loading' || known.accepted === 0 ? sentence : `${sentence} ${words.notKnownFrom}`;
}

/** How often the value is called that a change ends. */
export function ofValue(calls: CallsOfToken, preview: string): string {
  const found = callsOfValue(calls, preview);
  const mask = `${preview}***`;
  return found === null ? words.valueNotKnown(mask) : words.wasCalled(mask, found.today, found.week);
}

/** The same alone. */
export function ValueNote({ token, preview }: { token: Token; preview: string }) {
  const load = useCalls(token);
  return (
    <p class="foresight" role="status">
      <Text
        of={
          load.state === 'ready' && !load.stale
            ? ofValue(load.value, preview)
            : load.state === 'loading'
              ? words.asking
              : words.valueNotKnown(`${preview}***`)
        }
      />
    </p>
  );
}
