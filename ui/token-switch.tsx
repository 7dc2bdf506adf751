// The switch of a token, and the word beside it. The switch moves at once. The word is final when the server has answered.
import { signal } from '@preact/signals';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { formatClock, formatCount } from './format.ts';
import { dialog, dismiss, receipts, report } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { isExpired, labelOf, patchToken, settleFailure, stateOf, usage } from './tokens.ts';
import { totalsOf } from './totals.ts';

/** The tokens that wait for an answer, by id, with the state that was asked for. */
const pending = signal<Record<string, boolean>>({});
const slow = signal(false);
const SLOW_MS = 3000;

export const isPending = (token: Token): boolean => token.id in pending.value;

export function State({ token }: { token: Token }) {
  const wanted = pending.value[token.id];
  const [state, word] =
    wanted !== undefined
      ? ['state pending', wanted ? texts.tokens.activating : texts.tokens.deactivating]
      : !token.active
        ? ['state', texts.tokens.inactive]
        : isExpired(token)
          ? ['state expired', texts.tokens.expired]
          : ['state active', texts.tokens.active];
  return (
    <span class={state}>
      <Text of={word} />
    </span>
  );
}

export function Switch({ token }: { token: Token }) {
  const wanted = pending.value[token.id];
  return (
    <input
      type="checkbox"
      role="switch"
      class="switch"
      data-switch={token.id}
      aria-label={texts.tokens.switchName(labelOf(token))}
      // What is known of the calls that a click may stop.
      aria-describedby={`calls-${token.id}`}
      checked={wanted ?? token.active}
      onClick={(event) => {
        // The click is not cancelled, so the switch moves at once. After a cancelled click the browser would move it back.
        // An exposed token is asked about first.
        if (wanted !== undefined || mustAsk(token, !token.active)) event.preventDefault();
        if (wanted === undefined) turn(token, !token.active);
      }}
    />
  );
}

/** Says why a switch takes long. The live region exists before its text. */
export function Slow() {
  return (
    <p role="status" class="slow">
      <Text of={slow.value ? texts.toggle.slow : ''} />
    </p>
  );
}

const mustAsk = (token: Token, active: boolean): boolean => active && token.exposed !== null;

function turn(token: Token, active: boolean): void {
  if (!mustAsk(token, active)) {
    void toggle(token, active);
    return;
  }
  document.querySelector<HTMLElement>(`[data-switch="${token.id}"]`)?.focus();
  dialog.value = { kind: 'resume', token };
}

async function toggle(token: Token, active: boolean): Promise<void> {
  const last = receipts.value[token.id];
  if (last !== undefined) dismiss(last.id);
  // The message was removed with its Undo or Try again, so the focus moves to the switch.
  document.querySelector<HTMLElement>(`[data-switch="${token.id}"]`)?.focus();
  pending.value = { ...pending.value, [token.id]: active };
  const timer = setTimeout(() => (slow.value = true), SLOW_MS);
  const outcome = await changeToken(token, { active });
  clearTimeout(timer);
  const { [token.id]: _, ...others } = pending.value;
  pending.value = others;
  if (Object.keys(others).length === 0) slow.value = false;
  if (outcome.ok) {
    const at = formatClock(outcome.value.effectiveAt);
    const now = { ...token, ...stateOf(outcome.value.token) };
    patchToken(token, stateOf(now));
    if (active)
      report(token, 'ok', isExpired(token) ? texts.toggle.stillExpired : texts.toggle.activated(at));
    else {
      // The calls of an expired token had stopped before.
      const day = isExpired(token) ? undefined : usage.value?.[token.id];
      const calls = day === undefined ? 0 : totalsOf(day).accepted;
      report(token, 'ok', texts.toggle.deactivated(at), {
        ...(calls === 0 ? {} : { also: texts.toggle.stopped(calls, formatCount(calls)) }),
        action: { label: texts.toggle.undo, run: () => turn(now, true) },
      });
    }
    return;
  }
  const { failure } = outcome;
  const text = await settleFailure(token, failure, texts.toggle.failed(labelOf(token), token.active));
  if (text === null) return;
  report(token, 'error', text, {
    failure,
    action: { label: texts.tryAgain, run: () => void toggle(token, active) },
  });
}

/** Tab moves from the switch to Undo, and back, although Undo is before the switch in the page. */
export function reachUndo(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== 'Tab') return;
  const find = (what: string) => event.currentTarget.querySelector<HTMLElement>(what);
  const undo = find('.receipt button');
  const from = event.target;
  const toggler = find('.switch');
  const next =
    from === toggler && !event.shiftKey
      ? undo
      : from === undo && undo !== null
        ? event.shiftKey
          ? toggler
          : find('[data-delete], #rotate')
        : null;
  if (next === null) return;
  event.preventDefault();
  next.focus();
}
