// The one strip above the table: what is most serious about the whole list, with one action.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { CloudOff, OctagonPause, TriangleAlert } from 'lucide';
import type { IconNode } from 'lucide';
import type { Token } from './api.ts';
import { formatEnd, formatWhen } from './format.ts';
import { Icon } from './icon.tsx';
import { ofToken } from './late.ts';
import { dialog, product, toast } from './state.ts';
import type { Organisation } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { loadTokens, pausedTogether, quoted } from './tokens.ts';

/** While tokens that were paused together are being resumed. */
export const resuming = signal(false);

/** `rows`: the tokens that are known. `stale`: they may be out of date. */
export function Strip({ place, rows, stale }: { place: Organisation; rows: Token[]; stale: boolean }) {
  return <div role="status">{stripOf(place, rows, stale)}</div>;
}

function stripOf(place: Organisation, rows: Token[], stale: boolean) {
  if (place.pausedAt !== null) return <PlacePaused since={place.pausedAt} />;
  const [exposed, ...others] = rows
    .filter((token) => token.exposed !== null)
    .toSorted((a, b) => ((a.exposed?.at ?? '') < (b.exposed?.at ?? '') ? 1 : -1));
  if (exposed !== undefined) return <Exposed token={exposed} more={others.length} />;
  if (stale)
    return (
      <Line icon={CloudOff} text={texts.tokens.stale}>
        <button type="button" class="button small" onClick={() => void loadTokens()}>
          {texts.tryAgain}
        </button>
      </Line>
    );
  const together = pausedTogether(rows);
  return together.length === 0 ? null : <Together rows={together} />;
}

function Line({
  icon,
  text,
  isBad = false,
  children,
}: {
  icon: IconNode;
  text: string;
  isBad?: boolean;
  children: ComponentChildren;
}) {
  return (
    <p class={isBad ? 'strip bad' : 'strip'}>
      <Icon of={icon} size={16} />
      <span>
        <Text of={text} />
      </span>
      {children}
    </p>
  );
}

/** The operator has paused the organisation. Its tokens can still be managed. */
export function PlacePaused({ since }: { since: string }) {
  return (
    <Line icon={OctagonPause} text={texts.alarm.placePaused(formatEnd(since), product.name)} isBad>
      <a class="button small" href={product.contactUrl}>
        {texts.alarm.contact(product.name)}
      </a>
    </Line>
  );
}

function Exposed({ token, more }: { token: Token; more: number }) {
  const { exposed } = token;
  if (exposed === null) return null;
  const { by, at, paused } = exposed;
  const told = texts.alarm.exposed(quoted(token), by === 'url', formatWhen(at), paused);
  return (
    <Line icon={TriangleAlert} text={told + texts.alarm.more(more)} isBad>
      <button
        type="button"
        class="button small"
        onClick={() => (dialog.value = { kind: 'rotate', token, retire: 'now' })}
      >
        {texts.alarm.replace}
      </button>
    </Line>
  );
}

async function resume(rows: Token[]): Promise<void> {
  await ofToken.again();
  const part = ofToken.loaded.value;
  if (part === null || part === 'missing') toast('error', `${texts.noAnswer} ${texts.dialog.unchanged}`);
  else await part.resumeTogether(rows);
}

function Together({ rows }: { rows: Token[] }) {
  const [last] = rows
    .map((token) => token.pausedTogether)
    .toSorted((a, b) => ((a?.at ?? '') < (b?.at ?? '') ? 1 : -1));
  if (last === undefined || last === null) return null;
  return (
    <Line icon={OctagonPause} text={texts.alarm.together(rows.length, formatWhen(last.at), last.by)}>
      <button
        type="button"
        class="button small"
        aria-disabled={resuming.value}
        onClick={() => void resume(rows)}
      >
        <Text of={resuming.value ? texts.alarm.resuming : texts.alarm.resume(rows.length)} />
      </button>
    </Line>
  );
}
