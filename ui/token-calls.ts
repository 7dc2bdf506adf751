// The calls of one token, for its page and for the dialogs about it.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { readCalls } from './api.ts';
import type { CallsOfToken, Token } from './api.ts';
import { isTold } from './state.ts';
import type { Load } from './state.ts';

const loaded = signal<Load<CallsOfToken> & { of: string }>({ state: 'loading', of: '' });
/** Only the answer to the last question is shown. */
let asked = 0;

/** Loads the calls of this token. What was loaded before stays, and is marked if it cannot be loaded again. */
export async function loadCalls(token: Token, unattended = false): Promise<void> {
  const of = token.id;
  const mine = ++asked;
  if (loaded.value.of !== of) loaded.value = { state: 'loading', of };
  const outcome = await readCalls(token, unattended);
  if (mine !== asked) return;
  const before = loaded.value;
  if (outcome.ok) loaded.value = { state: 'ready', value: outcome.value, stale: false, of };
  else if (before.state === 'ready') loaded.value = { ...before, stale: true };
  else if (!isTold(outcome.failure)) loaded.value = { state: 'failed', failure: outcome.failure, of };
}

/** What is loaded of this token. */
export const callsOf = ({ id }: Token): Load<CallsOfToken> =>
  loaded.value.of === id ? loaded.value : { state: 'loading' };

/** Asks when the component comes to the page. */
export function useCalls(token: Token): Load<CallsOfToken> {
  useEffect(() => void loadCalls(token), []);
  return callsOf(token);
}
