// The Activity screen: who did what, when, to which token. Newest first, page by page. Loaded when it is first opened.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ChevronsUpDown, Download } from 'lucide';
import { activityFile, readActivity, readPeople } from './api.ts';
import type { ActivityQuery, Entry, Page } from './api.ts';
import { LoadFailure } from './failure.tsx';
import { formatClock, formatDayName, formatFull, formatHour } from './format.ts';
import { Icon } from './icon.tsx';
import {
  asked,
  followFailure,
  go,
  isOpen,
  isTold,
  linkTo,
  organisation,
  organisationId,
  toastFailure,
} from './state.ts';
import type { Load } from './state.ts';
import { DeveloperZone } from './developer-zone.tsx';
import { log as words } from './activity-texts.ts';
import { useRefresh } from './refresh.ts';
import { Sentence } from './sentence.tsx';
import { StillCalling, loadStillCalling } from './still-calling.tsx';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { labelOf, loadTokens, tokens } from './tokens.ts';

const log = signal<Load<Page>>({ state: 'loading' });
const loadedAt = signal(0);
const older = signal(false);
const people = signal<{ organisation: string; people: string[]; more: boolean } | null>(null);
/** The newest question. An answer to an older one is dropped. */
let question = {};

/** Sign-ins are shown only on request, because they are most of the events of a busy organisation. */
const SIGN_INS = 'sign-ins';
/** The filters are in the URL, so that a link can be shared, Back works, and a reload changes nothing. */
const FILTERS = ['action', 'actor', 'token'] as const satisfies (keyof ActivityQuery)[];
type Filter = (typeof FILTERS)[number];
// A link may ask for anything. The Worker refuses an unknown action.
const filters = (): ActivityQuery =>
  Object.fromEntries(FILTERS.map((name) => [name, asked(name)]).filter(([, value]) => value !== ''));
const filtered = (name: Filter | typeof SIGN_INS, value: string): string =>
  linkTo('activity', organisationId.value, { ...filters(), [SIGN_INS]: asked(SIGN_INS), [name]: value });

async function load(how: 'anew' | 'newer' | { before: string }, unattended = false): Promise<void> {
  const id = organisationId.value;
  if (id === null) return;
  const isOlder = typeof how === 'object';
  // A load that is under way answers the same events, or more.
  if (how === 'newer' && (older.value || log.value.state === 'loading')) return;
  const mine = (question = {});
  older.value = isOlder;
  if (how === 'anew') log.value = { state: 'loading' };
  const outcome = await readActivity(id, isOlder ? { ...filters(), ...how } : filters(), unattended);
  if (mine !== question) return;
  older.value = false;
  const kept = how !== 'anew' && log.value.state === 'ready' ? log.value.value : null;
  if (outcome.ok) {
    if (!isOlder) loadedAt.value = Date.now();
    log.value = {
      state: 'ready',
      stale: false,
      value:
        kept === null ? outcome.value : isOlder ? extend(kept, outcome.value) : renew(kept, outcome.value),
    };
    return;
  }
  const { failure } = outcome;
  await followFailure(id, failure);
  if (mine !== question || isTold(failure)) return;
  // Events that are loaded stay on the page.
  if (kept === null) log.value = { state: 'failed', failure };
  else if (isOlder) toastFailure(failure);
  else log.value = { state: 'ready', stale: true, value: kept };
}

const extend = (kept: Page, page: Page): Page => ({ ...page, events: [...kept.events, ...page.events] });

/** Adds the newest page to the shown events. Where the two do not meet, more events happened than fit: then only the newest page is kept. */
function renew(kept: Page, newest: Page): Page {
  const [first] = kept.events;
  // Nothing was found before, and nothing is new: the search continues where it stopped.
  if (first === undefined && newest.events.length === 0) return kept;
  const meets = newest.events.findIndex(({ id }) => id === first?.id);
  return meets === -1
    ? newest
    : { next: kept.next, events: [...newest.events.slice(0, meets), ...kept.events] };
}

async function loadPeople(id: string): Promise<void> {
  const outcome = await readPeople(id);
  if (outcome.ok && organisationId.value === id) people.value = { organisation: id, ...outcome.value };
}

export function Activity() {
  const place = isOpen.value ? organisationId.value : null;
  const search = new URLSearchParams(filters()).toString();
  useEffect(() => {
    if (place !== null) void load('anew');
  }, [place, search]);
  useEffect(() => {
    if (place === null) return;
    void loadPeople(place);
    // The filter shows the names of the tokens.
    void loadTokens();
    void loadStillCalling(place);
  }, [place]);
  useRefresh((unattended) => {
    if (place === null) return;
    void load('newer', unattended);
    void loadStillCalling(place);
  });
  // Developer Zone asks for an organisation, or tells its plan.
  if (!isOpen.value) return <DeveloperZone />;
  const file = (format: 'csv' | 'jsonl'): string =>
    activityFile(organisationId.value ?? '', format, filters());
  const known = people.value?.organisation === place ? people.value : null;
  const rows = tokens.value.state === 'ready' ? tokens.value.value : [];
  const shown = log.value;
  return (
    <>
      <h1 tabIndex={-1}>{words.title}</h1>
      <p class="lead">
        <Text of={words.lead(organisation.value?.name ?? '')} />
      </p>
      <StillCalling />
      <section class="card" aria-label={words.title} aria-busy={shown.state === 'loading'}>
        <header class="card-head filters">
          <Choice
            filter="action"
            label={words.filterAction}
            all={words.allActions}
            options={Object.entries(words.actions)}
          />
          <Choice
            filter="actor"
            label={words.filterActor}
            all={words.allPeople}
            options={(known?.people ?? []).map((address) => [address, address])}
            note={known?.more === true ? words.morePeople : undefined}
          />
          <Choice
            filter="token"
            label={words.filterToken}
            all={words.allTokens}
            options={rows.map((token) => [token.id, labelOf(token)])}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={asked(SIGN_INS) !== ''}
              onChange={(event) => go(filtered(SIGN_INS, event.currentTarget.checked ? 'shown' : ''))}
            />
            {words.signIns}
          </label>
          <p class="exports">
            <a class="button small" href={file('csv')} download>
              <Icon of={Download} size={14} />
              <span class="hidden">{words.exportAs} </span>
              {words.csv}
            </a>
            <a class="button small" href={file('jsonl')} download>
              <Icon of={Download} size={14} />
              <span class="hidden">{words.exportAs} </span>
              {words.jsonl}
            </a>
          </p>
        </header>
        <div role="status">
          {shown.state === 'ready' && shown.stale && <p class="strip">{texts.tokens.stale}</p>}
        </div>
        <Entries none={search === '' ? words.empty : words.noMatch} />
      </section>
      {shown.state === 'ready' && (
        <p class="below-card">
          <Text of={texts.refreshed(formatClock(loadedAt.value))} />
        </p>
      )}
    </>
  );
}

/** One filter. The value in the URL is always an option, also that of a deleted token. */
function Choice({
  filter,
  label,
  all,
  options,
  note,
}: {
  filter: Filter;
  label: string;
  all: string;
  options: [value: string, label: string][];
  note?: string | undefined;
}) {
  const value = asked(filter);
  const known = value === '' || options.some(([option]) => option === value);
  const preview =
    log.value.state === 'ready' && log.value.value.events.find(({ tokenId }) => tokenId === value)?.preview;
  return (
    <label class="select">
      <span class="label">{label}</span>
      <select
        value={value}
        translate={filter === 'action'}
        onChange={(event) => go(filtered(filter, event.currentTarget.value))}
      >
        <option value="">{all}</option>
        {!known && <option value={value}>{filter === 'token' && preview ? `${preview}***` : value}</option>}
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
        {note !== undefined && <option disabled>{note}</option>}
      </select>
      <Icon of={ChevronsUpDown} size={16} />
    </label>
  );
}

const isWanted = (action: string): boolean =>
  asked('action') !== '' || asked(SIGN_INS) !== '' || !action.startsWith('sign-');

function Entries({ none }: { none: string }) {
  const shown = log.value;
  if (shown.state === 'loading') {
    return (
      <p class="hollow" role="status">
        {words.loading}
      </p>
    );
  }
  if (shown.state === 'failed') {
    return <LoadFailure failure={shown.failure} title={texts.activityFailed} retry={() => load('anew')} />;
  }
  const { events, next } = shown.value;
  const shownEntries = events.filter(({ action }) => isWanted(action));
  return (
    <>
      {shownEntries.length === 0 ? (
        <p class="hollow" role="status">
          <Text of={events.length > 0 ? words.onlySignIns : next === null ? none : words.noMatchYet} />
        </p>
      ) : (
        <Days entries={shownEntries} />
      )}
      {next !== null && (
        <p class="card-foot">
          <button
            type="button"
            class="button"
            aria-disabled={older.value}
            onClick={() => !older.value && void load({ before: next })}
          >
            <Text of={older.value ? words.moreBusy : words.more} />
          </button>
        </p>
      )}
    </>
  );
}

/** The entries of each day, the newest day first. */
function byDay(entries: Entry[]): [day: string, entries: Entry[]][] {
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const day = formatDayName(entry.at);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days];
}

function Days({ entries }: { entries: Entry[] }) {
  return byDay(entries).map(([day, those]) => (
    <section key={day} aria-label={day}>
      <h2 class="day">
        <Text of={day} />
      </h2>
      <ol class="events">
        {those.map((entry) => (
          <li key={entry.id}>
            <time dateTime={entry.at} title={formatFull(entry.at)}>
              {formatHour(entry.at)}
            </time>
            <Sentence
              entry={entry}
              linkTo={(token) => (asked('token') === token ? null : filtered('token', token))}
            />
          </li>
        ))}
      </ol>
    </section>
  ));
}
