// The audit log, for members: who did what, when, to which token. Newest first, by cursor; loaded when it is opened.
import { effect, signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ChevronsUpDown, Download } from 'lucide';
import { readActivity } from './api.ts';
import { FailureNote } from './failure.tsx';
import { formatAgo, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { explain, isOpen, organisation, organisationId } from './state.ts';
import type { Load } from './state.ts';
import { DeveloperZone } from './developer-zone.tsx';
import { texts } from './texts.ts';
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

async function load(query: Record<string, string>, before?: string): Promise<void> {
  const id = organisationId.value;
  if (id === null) return;
  const kept = before !== undefined && log.value.state === 'ready' ? log.value.value.events : [];
  if (before === undefined) log.value = { state: 'loading' };
  const outcome = await readActivity(id, before === undefined ? query : { ...query, before });
  if (organisationId.value !== id) return;
  if (!outcome.ok) {
    log.value = { state: 'failed', failure: outcome.failure };
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
  useEffect(
    () =>
      effect(() => {
        if (isOpen.value && organisationId.value !== null) void load(query());
      }),
    [],
  );
  // The same words as on the token page: choose an organisation, or its plan.
  if (!isOpen.value) return <DeveloperZone />;
  const search = new URLSearchParams(query()).toString();
  const file = (format: string): string =>
    `/api/organisations/${encodeURIComponent(organisationId.value ?? '')}/activity.${format}${search === '' ? '' : `?${search}`}`;
  return (
    <>
      <h1 tabIndex={-1}>{texts.log.title}</h1>
      <p class="lead">{texts.log.lead(organisation.value?.name ?? '')}</p>
      <section class="card" aria-label={texts.log.title} aria-busy={log.value.state === 'loading'}>
        <header class="card-head filters">
          <label class="select">
            <span class="label">{texts.log.filterAction}</span>
            <select value={action.value} onChange={(event) => (action.value = event.currentTarget.value)}>
              <option value="">{texts.log.allActions}</option>
              {Object.entries(texts.log.actions).map(([key, label]) => (
                <option key={key} value={key}>
                  {label}
                </option>
              ))}
            </select>
            <Icon of={ChevronsUpDown} size={16} />
          </label>
          <label>
            <span class="label">{texts.log.filterActor}</span>
            <input
              type="search"
              placeholder={texts.log.allPeople}
              autocomplete="off"
              onChange={(event) => (actor.value = event.currentTarget.value.trim().toLowerCase())}
            />
          </label>
          <p class="exports">
            <a class="button small" href={file('csv')} download>
              <Icon of={Download} size={14} />
              {texts.log.csv}
            </a>
            <a class="button small" href={file('jsonl')} download>
              <Icon of={Download} size={14} />
              {texts.log.jsonl}
            </a>
          </p>
        </header>
        <Entries retry={() => void load(query())} more={(before) => void load(query(), before)} />
      </section>
    </>
  );
}

function Entries({ retry, more }: { retry: () => void; more: (before: string) => void }) {
  const shown = log.value;
  if (shown.state === 'loading') {
    return (
      <p class="hollow" role="status">
        {texts.log.loading}
      </p>
    );
  }
  if (shown.state === 'failed') {
    return (
      <div class="hollow">
        <h3>{texts.log.failed}</h3>
        <p role="alert">{explain(shown.failure)}</p>
        <FailureNote failure={shown.failure} />
        <button type="button" class="button" onClick={retry}>
          {texts.tryAgain}
        </button>
      </div>
    );
  }
  const { events, next } = shown.value;
  if (events.length === 0) {
    return (
      <p class="hollow" role="status">
        {texts.log.empty}
      </p>
    );
  }
  return (
    <>
      <table class="log">
        <thead>
          <tr>
            {texts.log.columns.map((column) => (
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
                </time>
              </td>
              <td class="cell-by">
                <Email of={entry.actor} />
              </td>
              <td class="cell-what">
                {texts.log.actions[entry.action] ?? entry.action}
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
          <button type="button" class="button" onClick={() => more(next)}>
            {texts.log.more}
          </button>
        </p>
      )}
    </>
  );
}
