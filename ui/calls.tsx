// The calls of a day as a number and as bars, and in words for screen readers.
import { formatCompact, formatCount } from './format.ts';
import { texts } from './texts.ts';
import { usage } from './tokens.ts';
import type { Usage } from './tokens.ts';

const WIDTH = 72;
const HEIGHT = 22;

const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
export const totals = ({ accepted, refused }: Usage) => ({ accepted: sum(accepted), refused: sum(refused) });

/** Accepted and refused calls of the last 24 hours, with one bar for each hour. */
export function Calls({ id }: { id: string }) {
  // An empty element has the same size, so that nothing moves when the calls arrive.
  if (usage.value === null) return <span class="calls" />;
  const hours = usage.value[id];
  const { accepted, refused } = hours === undefined ? { accepted: 0, refused: 0 } : totals(hours);
  const label = texts.tokens.calls(formatCount(accepted), formatCount(refused));
  const text = formatCompact(accepted + refused);
  return (
    <span class="calls" role="img" aria-label={label} title={label}>
      <span key={text}>{text}</span>
      <Bars hours={hours} width={WIDTH} height={HEIGHT} />
    </span>
  );
}

/** Bars from left to right, the newest last. Refused calls are drawn above the accepted ones. */
export function Bars({ hours, width, height }: { hours: Usage | undefined; width: number; height: number }) {
  const accepted = hours?.accepted ?? [];
  const refused = hours?.refused ?? [];
  const step = width / Math.max(1, accepted.length);
  const top = Math.max(1, ...accepted.map((value, hour) => value + (refused[hour] ?? 0)));
  // A small value still gets a visible bar.
  const heightOf = (value: number): number => (value === 0 ? 0 : Math.max(1.5, (value / top) * (height - 1)));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true" preserveAspectRatio="none">
      <rect class="base" y={height - 1} width={width} height="1" />
      {accepted.map((value, hour) => {
        const good = heightOf(value);
        const bad = heightOf(refused[hour] ?? 0);
        return (
          <g key={hour}>
            {good > 0 && <rect x={hour * step} y={height - good} width={step * 0.7} height={good} />}
            {bad > 0 && (
              <rect class="bad" x={hour * step} y={height - good - bad} width={step * 0.7} height={bad} />
            )}
          </g>
        );
      })}
    </svg>
  );
}
