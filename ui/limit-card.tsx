// What a token may do, on its own page: its access, paths, networks, websites and end, each with the way to change it.
import type { ComponentChildren } from 'preact';
import { CalendarOff } from 'lucide';
import type { Limits, Token } from './api.ts';
import { DAY_MS, formatBrief, formatEnd, formatFull, formatIn } from './format.ts';
import { Icon } from './icon.tsx';
import { ENDINGS, LISTS, words } from './limit-texts.ts';
import { words as dialogs } from './dialog-texts.ts';
import { dialog } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { isExpired, refusedAddresses } from './tokens.ts';

/** Refused addresses; the newest ones. */
const SHOWN = 3;

export function LimitCard({ token }: { token: Token }) {
  const { access, expiresAt, origins } = token;
  return (
    <section class="card" aria-labelledby="limits">
      <header class="card-head">
        <h2 id="limits">{words.title}</h2>
      </header>
      <dl class="limits">
        <Row
          token={token}
          of="access"
          label={words.access}
          edit={access === 'full' ? [words.narrow, words.narrowAccess] : null}
        >
          <Text of={dialogs.create.access[access]} />
        </Row>
        <Row token={token} of="paths" label={words.paths} edit={[words.edit, LISTS.paths.edit]}>
          <Entries token={token} of="paths" />
        </Row>
        <Row
          token={token}
          of="networks"
          label={LISTS.networks.label}
          edit={[words.edit, LISTS.networks.edit]}
        >
          <Entries token={token} of="networks" />
        </Row>
        <Refusals token={token} />
        <Row token={token} of="origins" label={LISTS.origins.label} edit={[words.edit, LISTS.origins.edit]}>
          <Entries token={token} of="origins" />
          {origins.length > 0 && <p class="hint">{words.browsersOnly}</p>}
        </Row>
        <Row token={token} of="expiresAt" label={words.expires} edit={[words.edit, words.editEnd]}>
          {expiresAt === null ? (
            <Text of={ENDINGS.never} />
          ) : (
            <End at={expiresAt} isOver={isExpired(token)} />
          )}
        </Row>
      </dl>
    </section>
  );
}

const relative = new Intl.RelativeTimeFormat('en');
const MONTH_MS = 30.44 * DAY_MS;

/** How long it is until then; beyond two months in months, beyond two years in years. */
function inWords(at: string): string {
  const months = (Date.parse(at) - Date.now()) / MONTH_MS;
  if (months < 2) return formatIn(at);
  return months < 24
    ? relative.format(Math.floor(months), 'month')
    : relative.format(Math.floor(months / 12), 'year');
}

/** The day; below it the time with its zone, and how long it is until then. */
function End({ at, isOver }: { at: string; isOver: boolean }) {
  const [day = '', time = ''] = formatEnd(at).split(', ');
  return (
    <>
      <Text of={day} />
      <p class={isOver ? 'warn' : 'hint'} title={formatFull(at)}>
        <Text of={isOver ? `${time}. ${texts.tokens.expired}` : `${time}, ${inWords(at)}`} />
      </p>
    </>
  );
}

function Row({
  token,
  of,
  label,
  edit,
  children,
}: {
  token: Token;
  of: keyof Limits;
  label: string;
  /** What the button says, and its whole name; null where nothing can be changed. */
  edit: [text: string, name: string] | null;
  children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
      {edit !== null && (
        <dd>
          <button
            type="button"
            id={`edit-${of}`}
            class="button link"
            aria-label={edit[1]}
            onClick={() => (dialog.value = { kind: 'limit', token, of })}
          >
            {edit[0]}
          </button>
        </dd>
      )}
    </div>
  );
}

/** From where calls were refused lately because of the networks. Each address that is not in the list by now can be added. */
function Refusals({ token }: { token: Token }) {
  const refused = refusedAddresses.value.filter(
    ({ tokenId, address }) => tokenId === token.id && !token.networks.includes(address),
  );
  if (token.networks.length === 0) return null;
  return (
    <>
      {refused.slice(0, SHOWN).map(({ address, at }, index) => {
        const shown = address.replace(address.includes(':') ? '/128' : '/32', '');
        const more = index === SHOWN - 1 ? refused.length - SHOWN : 0;
        return (
          <div key={address}>
            <dt>{words.refused}</dt>
            <dd>
              <code translate={false}>{shown}</code>
              <p class="hint" title={formatFull(at)}>
                <Text of={more > 0 ? words.andMore(formatBrief(at), more) : formatBrief(at)} />
              </p>
            </dd>
            <dd>
              <button
                type="button"
                class="button link"
                aria-label={words.addName(shown)}
                onClick={() => (dialog.value = { kind: 'limit', token, of: 'networks', add: shown })}
              >
                {words.add}
              </button>
            </dd>
          </div>
        );
      })}
    </>
  );
}

function Entries({ token, of }: { token: Token; of: 'paths' | 'networks' | 'origins' }) {
  const list = token[of];
  if (list.length === 0) return <Text of={LISTS[of].any} />;
  return (
    <ul translate={false}>
      {list.map((entry) => (
        <li key={entry}>
          <code>{entry}</code>
        </li>
      ))}
    </ul>
  );
}

/** Above all else, where the token has ended. The region is there before its words, so that they are announced. */
export function Expired({ token }: { token: Token }) {
  return (
    <div role="status">
      {token.expiresAt !== null && isExpired(token) && (
        <p class="banner">
          <Icon of={CalendarOff} size={16} />
          <span>
            <Text of={words.expired(formatEnd(token.expiresAt))} />
          </span>
          <button
            type="button"
            class="button small"
            onClick={() => (dialog.value = { kind: 'limit', token, of: 'expiresAt' })}
          >
            {words.newEnd}
          </button>
        </p>
      )}
    </div>
  );
}
