// The audit log, for members: who did what, when, to which token. Newest first, by cursor; loaded when it is opened.
import { signal, useSignal } from './signal.ts';
import { useEffect } from 'preact/hooks';
import { ChevronsUpDown, Download } from 'lucide';
import { readActivity } from './api.ts';
import { LoadFailure } from './failure.tsx';
import { formatAgo, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { isOpen, organisation, organisationId, toastFailure } from './state.ts';
import type { Load } from './state.ts';
import { DeveloperZone } from './developer-zone.tsx';
import { log as words } from './activity-texts.ts';
import { Email } from './token-table.tsx';

type Entry = {
  id: string;
  at: string;
  actor: string;
  action: string;
  preview: string | null;
  detail: string | null;
};
type Page = { events: Entry[]; next: string | null };

const log = signal<Load<Page>>({ state: 'loading' });
const older = signal(false);
// Seconds matter to nobody who reads this list, and stand in the export.
const stamp = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
/** The newest question: an answer to an older one never paints. */
let asked = {};

async function load(query: Record<string, string>, before?: string): Promise<void> {
  const id = organisationId.value;
  if (id === null) return;
  const kept = before !== undefined && log.value.state === 'ready' ? log.value.value.events : [];
  const mine = (asked = {});
  older.value = before !== undefined;
  if (before === undefined) log.value = { state: 'loading' };
  const outcome = await readActivity(id, before === undefined ? query : { ...query, before });
  if (mine !== asked) return;
  older.value = false;
  if (!outcome.ok) {
    // What was loaded stays.
    if (before === undefined) log.value = { state: 'failed', failure: outcome.failure };
    else toastFailure(outcome.failure);
    return;
  }
  log.value = {
    state: 'ready',
    stale: false,
    value: { events: [...kept, ...outcome.value.events], next: outcome.value.next },
  };
}

export function Activity() {
  const action = useSignal('');
  const actor = useSignal('');
  const query = (): Record<string, string> => ({
    ...(action.value === '' ? {} : { action: action.value }),
    ...(actor.value === '' ? {} : { actor: actor.value }),
  });
  const place = isOpen.value ? organisationId.value : null;
  useEffect(() => {
    if (place !== null) void load(query());
  }, [place, action.value, actor.value]);
  // The same words as on the token page: choose an organisation, or its plan.
  if (!isOpen.value) return <DeveloperZone />;
  const search = new URLSearchParams(query()).toString();
  const file = (format: string): string =>
    `/api/organisations/${encodeURIComponent(organisationId.value ?? '')}/activity.${format}${search === '' ? '' : `?${search}`}`;
  return (
    <>
      <h1 tabIndex={-1}>{words.title}</h1>
      <p class="lead">{words.lead(organisation.value?.name ?? '')}</p>
      <section class="card" aria-label={words.title} aria-busy={log.value.state === 'loading'}>
        <header class="card-head filters">
          <label class="select">
            <span class="label">{words.filterAction}</span>
            <select value={action.value} onChange={(event) => (action.value = event.currentTarget.value)}>
              <option value="">{words.allActions}</option>
              {Object.entries(words.actions).map(([key, label]) => (
                <option key={key} value={key}>
                  {label}
                </option>
              ))}
            </select>
            <Icon of={ChevronsUpDown} size={16} />
          </label>
          <label>
            <span class="label">{words.filterActor}</span>
            <input
              type="search"
              placeholder={words.allPeople}
              autocomplete="off"
              onChange={(event) => (actor.value = event.currentTarget.value.trim().toLowerCase())}
            />
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
        <Entries
          none={search === '' ? words.empty : words.noMatch}
          retry={() => void load(query())}
          more={(before) => void load(query(), before)}
        />
      </section>
    </>
  );
}

function Entries({ none, retry, more }: { none: string; retry: () => void; more: (before: string) => void }) {
  const shown = log.value;
  if (shown.state === 'loading') {
    return (
      <p class="hollow" role="status">
        {words.loading}
      </p>
    );
  }
  if (shown.state === 'failed') {
    return <LoadFailure failure={shown.failure} title={words.failed} retry={retry} />;
  }
  const { events, next } = shown.value;
  if (events.length === 0) {
    return (
      <p class="hollow" role="status">
        {none}
      </p>
    );
  }
  return (
    <>
      <table class="log">
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
          {events.map((entry) => (
            <tr key={entry.id}>
              <td class="cell-at">
                <time dateTime={entry.at} title={formatFull(entry.at)}>
                  {formatAgo(entry.at)}
                  <span class="hint">{stamp.format(new Date(entry.at))}</span>
                </time>
              </td>
              <td class="cell-by">
                <Email of={entry.actor} />
              </td>
              <td class="cell-what">
                {words.actions[entry.action] ?? entry.action}
                {entry.detail !== null && <span class="quiet"> {entry.detail}</span>}
              </td>
              <td class="cell-token">
                {entry.preview !== null && <code class="mask">{entry.preview}***</code>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {next !== null && (
        <p class="card-foot">
          <button
            type="button"
            class="button"
            aria-disabled={older.value}
            onClick={() => !older.value && more(next)}
          >
            {older.value ? words.moreBusy : words.more}
          </button>
        </p>
      )}
    </>
  );
}
