// How often a token is called: as numbers and bars for a day, a week or a month, and why calls were refused.
import { signal } from '@preact/signals';
import type { CallsOfToken, Series, Token } from './api.ts';
import { Bars } from './calls.tsx';
import { words } from './calls-texts.ts';
import { LoadFailure } from './failure.tsx';
import { DAY_MS, formatCount, formatHour, formatUtcDay } from './format.ts';
import { explain } from './state.ts';
import { Text } from './text.tsx';
import { callsOf, loadCalls } from './token-calls.ts';
import { totalsOf } from './totals.ts';

const PERIODS = ['hours', 'week', 'month'] as const;
type Period = (typeof PERIODS)[number];
/** For every token, until the page is loaded again. */
const period = signal<Period>('hours');

const WEEK_DAYS = 7;
const HOUR_MS = 3_600_000;
const CHART = { width: 600, height: 112 };

export function CallsCard({ token }: { token: Token }) {
  const load = callsOf(token);
  const calls = load.state === 'ready' ? load.value : null;
  return (
    <section class="card" aria-labelledby="calls" aria-busy={load.state === 'loading'}>
      <header class="card-head">
        <h2 id="calls">{words.title}</h2>
        <fieldset class="segments">
          <legend class="hidden">{words.period}</legend>
          {PERIODS.map((each) => (
            <label key={each} title={words.periodNames[each]}>
              <input
                type="radio"
                class="hidden"
                name="period"
                aria-label={words.periodNames[each]}
                checked={period.value === each}
                onChange={() => (period.value = each)}
              />
              {words.periods[each]}
            </label>
          ))}
        </fieldset>
      </header>
      {load.state === 'failed' ? (
        <LoadFailure
          failure={load.failure}
          title={words.failedTitle}
          text={`${explain(load.failure)} ${words.failed}`}
          retry={() => loadCalls(token)}
        />
      ) : (
        <Figures calls={calls} />
      )}
      <p class="card-foot hint stale" role="status">
        <Text of={load.state === 'ready' && load.stale ? words.stale : ''} />
      </p>
      {calls !== null && calls.reasons.length > 0 && <Reasons reasons={calls.reasons} />}
    </section>
  );
}

/** Numbers and bars; without calls they are not known yet. */
function Figures({ calls }: { calls: CallsOfToken | null }) {
  const series = calls === null ? null : seriesOf(calls, period.value);
  const { accepted, refused } = series === null ? { accepted: 0, refused: 0 } : totalsOf(series);
  const middle = period.value === 'month' ? series?.labels[Math.floor(series.labels.length / 2)] : undefined;
  return (
    <>
      <dl class="figures">
        <div>
          <dt>{words.accepted}</dt>
          <dd>
            <Text of={series === null ? '–' : formatCount(accepted)} />
          </dd>
        </div>
        <div class={refused > 0 ? 'refused' : ''}>
          <dt>{words.refused}</dt>
          <dd>
            <Text of={series === null ? '–' : formatCount(refused)} />
          </dd>
        </div>
      </dl>
      <div class="chart">
        <div role="img" aria-label={series === null ? words.loading : described(series)}>
          <Bars
            hours={series ?? undefined}
            titles={series?.labels.map((_, index) => barOf(series, index))}
            {...CHART}
          />
        </div>
        <p class="hint" aria-hidden="true" title={period.value === 'hours' ? undefined : words.utc}>
          <Text of={period.value === 'hours' ? words.hoursAgo : (series?.labels[0] ?? '')} />
          {middle !== undefined && <Text of={middle} />}
          <Text of={period.value === 'hours' ? words.now : words.today} />
        </p>
      </div>
    </>
  );
}

type Chart = Series & { labels: string[] };

/** The numbers of the period, the oldest first, with the time of each. */
function seriesOf({ until, hours, days }: CallsOfToken, which: Period): Chart {
  if (which === 'hours') {
    const end = Date.parse(until);
    const labels = hours.accepted.map((_, index, all) =>
      formatHour(new Date(end - (all.length - index) * HOUR_MS).toISOString()),
    );
    return { ...hours, labels };
  }
  const count = which === 'week' ? WEEK_DAYS : days.accepted.length;
  const accepted = days.accepted.slice(-count);
  // The last day is the one of the last hour.
  const today = Date.parse(until) - 1;
  return {
    accepted,
    refused: days.refused.slice(-count),
    labels: accepted.map((_, index) =>
      index === count - 1 ? words.today : formatUtcDay(today - (count - 1 - index) * DAY_MS),
    ),
  };
}

const barOf = ({ accepted, refused, labels }: Chart, index: number): string =>
  words.bar(labels[index] ?? '', accepted[index] ?? 0, refused[index] ?? 0);

function described(series: Chart): string {
  const all = series.accepted.map((value, index) => value + (series.refused[index] ?? 0));
  const most = Math.max(...all);
  return most === 0 ? words.noBars : words.chart(barOf(series, all.indexOf(most)));
}

function Reasons({ reasons }: { reasons: CallsOfToken['reasons'] }) {
  return (
    <div class="card-foot reasons">
      <h3 class="label">{words.why}</h3>
      <ul>
        {reasons.map(({ reason, calls }) => (
          <li key={reason}>
            <Text of={words.reason(reason, calls)} />
          </li>
        ))}
      </ul>
    </div>
  );
}
