// The calls of a day as a number and as bars, and in words for screen readers.
import type { Series } from './api.ts';
import { formatCompact, formatCount } from './format.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { isUsageUnknown, usage } from './tokens.ts';
import { NO_CALLS, totalsOf } from './totals.ts';

const WIDTH = 72;
const HEIGHT = 22;

/** Accepted and refused calls of the last 24 hours, with one bar for each hour. It describes the switch of the token. */
export function Calls({ id }: { id: string }) {
  // An empty element has the same size, so that nothing moves when the calls arrive.
  if (usage.value === null && !isUsageUnknown.value) return <span class="calls" />;
  const label = dayOf(id);
  const { accepted, refused } = totalsOf(usage.value?.[id] ?? NO_CALLS);
  const text = usage.value === null ? '–' : formatCompact(accepted + refused);
  return (
    <span class="calls" role="img" id={`calls-${id}`} aria-label={label} title={label}>
      <span key={text}>{text}</span>
      <Bars hours={usage.value?.[id]} width={WIDTH} height={HEIGHT} />
    </span>
  );
}

/** Their number in the second line of the token, where there is no room for bars. */
export function CallsADay({ id }: { id: string }) {
  const calls = usage.value === null ? 0 : totalsOf(usage.value[id] ?? NO_CALLS).accepted;
  if (calls === 0) return null;
  return (
    <span class="a-day">
      {' · '}
      <Text of={texts.tokens.callsADay(formatCompact(calls))} />
    </span>
  );
}

/** The calls of the last 24 hours in words. */
export function dayOf(id: string): string {
  if (usage.value === null) return texts.tokens.callsUnknown;
  const { accepted, refused } = totalsOf(usage.value[id] ?? NO_CALLS);
  return texts.tokens.calls(formatCount(accepted), formatCount(refused));
}

/** A bar is at most so wide, in the units of the drawing. */
const WIDEST = 48;

/**
 * Bars from left to right, the newest last. Refused calls are drawn above the accepted ones. `titles`: of each bar, in a chart that
 * marks the newest.
 */
export function Bars({
  hours,
  width,
  height,
  titles,
}: {
  hours: Series | undefined;
  width: number;
  height: number;
  titles?: string[] | undefined;
}) {
  const accepted = hours?.accepted ?? [];
  const refused = hours?.refused ?? [];
  const last = accepted.length - 1;
  const wide = Math.min(WIDEST, (width / Math.max(1, last + 1)) * 0.7);
  const step = (width - wide) / Math.max(1, last);
  const top = Math.max(1, ...accepted.map((value, hour) => value + (refused[hour] ?? 0)));
  // A small value still gets a visible bar.
  const heightOf = (value: number): number => (value === 0 ? 0 : Math.max(1.5, (value / top) * (height - 1)));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true" preserveAspectRatio="none">
      <rect class="base" y={height - 1} width={width} height="1" />
      {accepted.map((value, hour) => {
        const good = heightOf(value);
        const bad = heightOf(refused[hour] ?? 0);
        const at = { x: hour * step, width: wide };
        return (
          <g key={hour} class={titles !== undefined && hour === last ? 'newest' : undefined}>
            {titles !== undefined && (
              <rect class="place" {...at} height={height}>
                <title>{titles[hour]}</title>
              </rect>
            )}
            {good > 0 && <rect {...at} y={height - good} height={good} />}
            {bad > 0 && <rect class="bad" {...at} y={height - good - bad} height={bad} />}
          </g>
        );
      })}
    </svg>
  );
}
