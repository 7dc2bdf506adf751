// The Sessions screen: where the member is signed in. A member can end one session, or all.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Monitor } from 'lucide';
import { endSession, listSessions, signOutEverywhere } from './api.ts';
import type { MySession } from './api.ts';
import { LoadFailure } from './failure.tsx';
import { formatAgo, formatFull } from './format.ts';
import { Icon } from './icon.tsx';
import { leave } from './shell.tsx';
import { toast, toastFailure } from './state.ts';
import type { Load } from './state.ts';
import { Text } from './text.tsx';
import { words } from './sessions-texts.ts';

const list = signal<Load<MySession[]>>({ state: 'loading' });

async function load(): Promise<void> {
  const outcome = await listSessions();
  list.value = outcome.ok
    ? { state: 'ready', value: thisBrowserFirst(outcome.value.sessions), stale: false }
    : { state: 'failed', failure: outcome.failure };
}

const thisBrowserFirst = (rows: MySession[]): MySession[] =>
  rows.toSorted((a, b) => Number(b.current) - Number(a.current));

async function end(id: string): Promise<void> {
  const outcome = await endSession(id);
  if (outcome.ok || outcome.failure.slug === 'not-found') {
    toast('ok', words.ended);
    await load();
  } else toastFailure(outcome.failure);
}

export function Sessions() {
  useEffect(() => void load(), []);
  const shown = list.value;
  return (
    <>
      <h1 tabIndex={-1}>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <section class="card" aria-label={words.title} aria-busy={shown.state === 'loading'}>
        {shown.state === 'loading' && (
          <p class="hollow" role="status">
            {words.loading}
          </p>
        )}
        {shown.state === 'failed' && (
          <LoadFailure failure={shown.failure} title={words.failed} retry={load} />
        )}
        {shown.state === 'ready' && (
          <>
            <ul class="rows">
              {shown.value.map((row) => (
                <li key={row.id}>
                  <Icon of={Monitor} />
                  <div>
                    <p title={row.userAgent ?? undefined}>
                      {row.browser}
                      {row.current && <span class="state active">{words.current}</span>}
                    </p>
                    <p class="hint">
                      <time dateTime={row.createdAt} title={formatFull(row.createdAt)}>
                        <Text of={words.since(formatAgo(row.createdAt))} />
                      </time>
                      {' · '}
                      <time dateTime={row.seenAt} title={formatFull(row.seenAt)}>
                        <Text of={words.seen(formatAgo(row.seenAt))} />
                      </time>
                    </p>
                  </div>
                  {!row.current && (
                    <button type="button" class="button small" onClick={() => void end(row.id)}>
                      {words.end}
                      <span class="hidden"> {row.browser}</span>
                    </button>
                  )}
                </li>
              ))}
            </ul>
            <p class="card-foot">
              <button type="button" class="button" onClick={() => void leave(signOutEverywhere)}>
                {words.everywhere}
              </button>
            </p>
          </>
        )}
      </section>
    </>
  );
}
