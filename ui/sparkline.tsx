// The calls of a day as bars as small as a word, for the eye; the same in words for everybody else.
import { formatCount } from './format.ts';
import { texts } from './texts.ts';
import { usage } from './tokens.ts';

/** Accepted and refused calls of the last 24 hours, an hour a bar. */
export function Sparkline({ id }: { id: string }) {
  const hours = usage.value[id];
  // Its place is kept: nothing moves when the calls of the day come.
  if (hours === undefined) return <span class="spark" />;
  const { accepted, refused } = hours;
  const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
  const top = Math.max(1, ...accepted.map((value, hour) => value + (refused[hour] ?? 0)));
  const label = texts.tokens.calls(formatCount(sum(accepted)), formatCount(sum(refused)));
  return (
    <svg class="spark" viewBox="0 0 96 18" width="96" height="18" role="img" aria-label={label}>
      <title key={label}>{label}</title>
      {accepted.map((value, hour) => {
        const good = (value / top) * 16;
        const bad = ((refused[hour] ?? 0) / top) * 16;
        return (
          <g key={hour}>
            <rect class="base" x={hour * 4} y={17} width="3" height="1" />
            {value > 0 && <rect class="good" x={hour * 4} y={17 - good} width="3" height={good} />}
            {bad > 0 && <rect class="bad" x={hour * 4} y={17 - good - bad} width="3" height={bad} />}
          </g>
        );
      })}
    </svg>
  );
}
