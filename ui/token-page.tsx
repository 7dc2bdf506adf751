// The page of one token: its state, its values, its calls and its activity.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ChevronRight, Key, RefreshCw, Trash2 } from 'lucide';
import { readActivity } from './api.ts';
import type { Entry, Token } from './api.ts';
import { dayOf } from './calls.tsx';
import { CallersCard } from './calls-callers.tsx';
import { CallsCard } from './calls-card.tsx';
import { DeveloperZone } from './developer-zone.tsx';
import { Exposed } from './exposed.tsx';
import { LoadFailure } from './failure.tsx';
import { formatAgo, formatClock, formatFull, formatMinute } from './format.ts';
import { Icon } from './icon.tsx';
import { Expired, LimitCard } from './limit-card.tsx';
import { Trouble } from './message.tsx';
import { useRefresh } from './refresh.ts';
import { EndedValues, TwoValues } from './rotation.tsx';
import { words as rotation } from './rotation-texts.ts';
import { Sentence } from './sentence.tsx';
import {
  dialog,
  explain,
  follow,
  followFailure,
  isOpen,
  isTold,
  linkTo,
  organisation,
  organisationId,
  tokenId,
} from './state.ts';
import type { Load } from './state.ts';
import { loadStillCalling } from './still-calling.tsx';
import { PlacePaused } from './strip.tsx';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { NameHeading } from './token-heading.tsx';
import { words } from './token-page-texts.ts';
import { Remark } from './token-table.tsx';
import { Slow, State, Switch, isPending, reachUndo } from './token-switch.tsx';
import { loadCalls } from './token-calls.ts';
import { lastUseOf, listedAt, loadTokens, maskOf, tokens } from './tokens.ts';

/** How many events the page shows. The Activity screen shows all. */
const SHOWN = 8;

/** Whether there is no room for two columns; styles.css has the same width. */
const narrow = matchMedia('(max-width: 1080px)');
const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', () => (isNarrow.value = narrow.matches));

const events = signal<Load<Entry[]> & { of: string }>({ state: 'loading', of: '' });

async function loadEvents(token: string, unattended = false): Promise<void> {
  const id = organisationId.value;
  if (id === null) return;
  if (events.value.of !== token) events.value = { state: 'loading', of: token };
  const outcome = await readActivity(id, { token }, unattended);
  if (!outcome.ok) await followFailure(id, outcome.failure);
  if (events.value.of !== token) return;
  if (outcome.ok)
    events.value = { state: 'ready', value: outcome.value.events.slice(0, SHOWN), stale: false, of: token };
  else if (events.value.state !== 'ready' && !isTold(outcome.failure))
    events.value = { state: 'failed', failure: outcome.failure, of: token };
}

export function TokenPage() {
  const id = tokenId.value;
  const load = tokens.value;
  useRefresh((unattended) => {
    void loadTokens(unattended);
    if (id !== null) void loadEvents(id, unattended);
    const row = load.state === 'ready' ? load.value.find((token) => token.id === id) : undefined;
    if (row !== undefined) void loadCalls(row, unattended);
  });
  // Developer Zone asks for an organisation, or tells its plan.
  if (!isOpen.value) return <DeveloperZone />;
  if (load.state === 'failed')
    return (
      <>
        <h1 tabIndex={-1}>{texts.developerZone}</h1>
        <LoadFailure
          failure={load.failure}
          title={texts.tokens.failedTitle}
          text={`${explain(load.failure)} ${texts.tokens.failedBody}`}
          retry={loadTokens}
        />
      </>
    );
  if (load.state === 'loading')
    return (
      <>
        <h1 tabIndex={-1}>{texts.developerZone}</h1>
        <p role="status" class="lead">
          {texts.tokens.loading}
        </p>
      </>
    );
  const token = load.value.find((row) => row.id === id);
  return token === undefined ? <Gone /> : <Page key={token.id} token={token} />;
}

function Gone() {
  return (
    <div class="notice-page">
      <span class="medallion">
        <Icon of={Key} size={24} />
      </span>
      <h1 tabIndex={-1}>{words.goneTitle}</h1>
      <p>{words.gone}</p>
      <a class="button" href={linkTo('developer-zone')} onClick={follow}>
        {words.back}
      </a>
    </div>
  );
}

function Page({ token }: { token: Token }) {
  const hasEnded = token.retired.length > 0;
  useEffect(() => {
    void loadEvents(token.id);
    void loadCalls(token);
  }, []);
  useEffect(() => {
    if (hasEnded) void loadStillCalling(token.organisation);
  }, [hasEnded, listedAt.value]);
  const busy = isPending(token);
  const lastUsedAt = lastUseOf(token);
  const pausedAt = organisation.value?.pausedAt ?? null;
  return (
    <>
      <nav class="crumbs" aria-label={words.crumbs}>
        <a href={linkTo('developer-zone')} onClick={follow}>
          {words.zone}
        </a>
        <Icon of={ChevronRight} size={14} />
        <span key={token.name} aria-current="page" translate={false}>
          {token.name ?? maskOf(token)}
        </span>
      </nav>
      <header class={busy ? 'token-head busy' : 'token-head'} aria-busy={busy} onKeyDown={reachUndo}>
        <div>
          <NameHeading token={token} />
          <p class="quiet">
            <code class="mask" translate={false}>
              {maskOf(token)}
            </code>
            {' · '}
            <span title={lastUsedAt === null ? undefined : formatFull(lastUsedAt)}>
              <Text of={lastUsedAt === null ? words.never : words.lastUsed(formatAgo(lastUsedAt))} />
            </span>
            <span id={`calls-${token.id}`} class="hidden">
              <Text of={dayOf(token.id)} />
            </span>
          </p>
        </div>
        <div class="token-state">
          <div>
            <State token={token} />
            <Remark token={token} isTold={token.exposed !== null} />
          </div>
          <Switch token={token} />
          <button
            type="button"
            id="rotate"
            class="button"
            onClick={() => (dialog.value = { kind: 'rotate', token })}
          >
            <Icon of={RefreshCw} size={16} />
            {rotation.open}
          </button>
        </div>
      </header>
      <Trouble token={token.id} />
      <Slow />
      {pausedAt !== null && (
        <div class="card alone-strip">
          <PlacePaused since={pausedAt} />
        </div>
      )}
      <Exposed token={token} />
      <Expired token={token} />
      <Cards token={token} />
      <p class="below-card">
        <Text of={token.retiring === null ? texts.tokens.offMeans : rotation.offMeansBoth} />
        <Text of={texts.refreshed(formatClock(listedAt.value))} />
      </p>
    </>
  );
}

/** Two columns, or one below the other: in this order, also for the keyboard and for screen readers. */
function Cards({ token }: { token: Token }) {
  const values = <TwoValues key="values" token={token} />;
  const calls = <CallsCard key="calls" token={token} />;
  const callers = <CallersCard key="callers" token={token} />;
  const limits = <LimitCard key="limits" token={token} />;
  const record = <Events key="record" token={token} />;
  const rest = [
    <About key="about" token={token} />,
    <EndedValues key="ended" token={token} />,
    <button
      key="delete"
      type="button"
      class="button plain danger"
      data-delete={token.id}
      onClick={() => (dialog.value = { kind: 'delete', token })}
    >
      <Icon of={Trash2} size={16} />
      {words.remove}
    </button>,
  ];
  return isNarrow.value ? (
    <div class="column">
      {values}
      {calls}
      {callers}
      {limits}
      {record}
      {rest}
    </div>
  ) : (
    <div class="columns">
      <div class="column">
        {calls}
        {callers}
        {record}
      </div>
      <div class="column">
        {values}
        {limits}
        {rest}
      </div>
    </div>
  );
}

function About({ token }: { token: Token }) {
  return (
    <section class="card about" aria-label={words.about}>
      <dl>
        <dt>{words.createdBy}</dt>
        <dd translate={false}>{token.createdBy}</dd>
        <dt>{words.createdAt}</dt>
        <dd>
          <time dateTime={token.createdAt} title={formatFull(token.createdAt)}>
            {formatMinute(token.createdAt)}
          </time>
        </dd>
      </dl>
    </section>
  );
}

function Events({ token }: { token: Token }) {
  const load = events.value;
  return (
    <section class="card" aria-labelledby="activity" aria-busy={load.state === 'loading'}>
      <header class="card-head">
        <h2 id="activity">{words.activity}</h2>
        <a
          class="text-link quiet"
          href={linkTo('activity', organisationId.value, { token: token.id })}
          onClick={follow}
        >
          {words.all}
          <Icon of={ChevronRight} size={14} />
        </a>
      </header>
      {load.state === 'failed' && (
        <LoadFailure failure={load.failure} title={texts.activityFailed} retry={() => loadEvents(token.id)} />
      )}
      {load.state === 'ready' &&
        (load.value.length === 0 ? (
          <p class="hollow">{words.noEvents}</p>
        ) : (
          <ol class="events dated">
            {load.value.map((entry) => (
              <li key={entry.id}>
                <time dateTime={entry.at} title={formatFull(entry.at)}>
                  {formatMinute(entry.at)}
                </time>
                <Sentence entry={entry} linkTo={() => null} />
              </li>
            ))}
          </ol>
        ))}
    </section>
  );
}
