// Pauses all tokens of the organisation after one confirmation, which says what will stop. Resumes exactly those again.
import { useSignal } from '@preact/signals';
import { pauseAll, resumeAll } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { formatClock } from './format.ts';
import { words } from './pause-texts.ts';
import { dialog, explain, organisationId, toast } from './state.ts';
import type { Organisation } from './state.ts';
import { resuming } from './strip.tsx';
import { Text } from './text.tsx';
import { LastUse } from './token-name.tsx';
import {
  knownUsage,
  lastUseOf,
  listAfter,
  loadTokens,
  maskOf,
  mayHaveHappened,
  patchToken,
  quoted,
  stateOf,
  tokens,
} from './tokens.ts';
import { NO_CALLS, totalsOf } from './totals.ts';

const rowsOf = (organisation: string): Token[] =>
  tokens.value.state === 'ready' ? tokens.value.value.filter((row) => row.organisation === organisation) : [];

function show(organisation: string, changed: Omit<Token, 'organisation'>[]): void {
  for (const token of changed) patchToken({ ...token, organisation }, stateOf(token));
}

/** The calls of the last 24 hours that a pause would have stopped, or null if they are not known. */
const callsOf = ({ id }: Token): number | null =>
  knownUsage.value === null ? null : totalsOf(knownUsage.value[id] ?? NO_CALLS).accepted;

export function PauseDialog({ organisation: { id, name } }: { organisation: Organisation }) {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const unsure = useSignal(false);
  const rows = rowsOf(id).filter(({ active }) => active);
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const finish = (text: string): void => {
    busy.value = false;
    dialog.value = null;
    toast('ok', text);
  };
  const pause = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    if (rows.length === 0) return close();
    busy.value = true;
    failure.value = null;
    const outcome = await pauseAll(id);
    if (outcome.ok) {
      const { tokens: paused, effectiveAt } = outcome.value;
      show(id, paused);
      return finish(words.done(paused.length, formatClock(effectiveAt)));
    }
    const list = await listAfter(id, outcome.failure, () => organisationId.value === id);
    busy.value = false;
    if (list === 'shown') dialog.value = null;
    else if (list?.every(({ active }) => !active) === true) finish(words.found);
    else {
      unsure.value ||= list === null || mayHaveHappened(outcome.failure);
      failure.value = outcome.failure;
    }
  };
  return (
    <Dialog
      labelledBy="pause-title"
      describedBy="pause-body"
      role="alertdialog"
      guarded={busy.value}
      onClose={close}
    >
      <form onSubmit={(event) => void pause(event)}>
        <h2 id="pause-title">
          <Text of={words.title(name)} />
        </h2>
        <div id="pause-body" class="dialog-body">
          <p>{words.body}</p>
          <p class="quiet">
            <Text
              of={
                rows.length === 0
                  ? words.none
                  : knownUsage.value === null
                    ? words.unknown
                    : words.sum(words.calls(rows.reduce((sum, row) => sum + (callsOf(row) ?? 0), 0)))
              }
            />
          </p>
        </div>
        <ul class="values stops">
          {rows.map((token) => (
            <li key={token.id}>
              <p>
                <span>
                  {token.name !== null && <strong translate={false}>{token.name}</strong>}{' '}
                  <code class="mask" translate={false}>
                    {maskOf(token)}
                  </code>
                </span>
                <span class="quiet">
                  <Text of={inWords(callsOf(token))} />
                  <LastUse at={lastUseOf(token)} />
                </span>
              </p>
            </li>
          ))}
        </ul>
        <DialogFoot
          busy={busy.value}
          failure={failure.value}
          lead={unsure.value ? words.unsure : words.failed}
          confirm={words.confirm(rows.length)}
          waiting={words.busy}
          destructive
          disabled={rows.length === 0}
          onCancel={close}
        />
      </form>
    </Dialog>
  );
}

/** Nothing where they are not known: the dialog says that once. */
const inWords = (calls: number | null): string => (calls === null ? '' : `${words.calls(calls)} · `);

/** Resumes the tokens of one organisation that were paused together. */
export async function resumeTogether(rows: Token[]): Promise<void> {
  const [{ organisation = '' } = {}] = rows;
  if (resuming.value) return;
  resuming.value = true;
  const outcome = await resumeAll(organisation);
  if (outcome.ok) {
    const { tokens: resumed, effectiveAt } = outcome.value;
    show(organisation, resumed);
    // Something has happened to the others meanwhile.
    if (resumed.length < rows.length) await loadTokens();
    resuming.value = false;
    const text =
      resumed.length === 0 ? words.resumedBefore : words.resumed(resumed.length, formatClock(effectiveAt));
    toast('ok', text + staying(organisation));
    focusHeading();
    return;
  }
  const { failure } = outcome;
  const list = await listAfter(organisation, failure, () => organisationId.value === organisation);
  resuming.value = false;
  if (list === 'shown') return;
  const ids = new Set(rows.map(({ id }) => id));
  if (list?.filter(({ id }) => ids.has(id)).every(({ active }) => active) === true) {
    toast('ok', words.resumedBefore);
    focusHeading();
    return;
  }
  const lead = list === null || mayHaveHappened(failure) ? words.resumeUnsure : words.notResumed;
  toast('error', `${lead} ${explain(failure)}`, { failure });
}

/** What is not resumed, because it was exposed after the pause. */
function staying(organisation: string): string {
  const exposed = rowsOf(organisation).filter((row) => row.exposed !== null && !row.active);
  const [only] = exposed;
  if (only === undefined) return '';
  return exposed.length === 1 ? words.staysPaused(quoted(only)) : words.stayPaused(exposed.length);
}

/** The strip with the button goes. */
function focusHeading(): void {
  document.querySelector('h1')?.focus({ preventScroll: true });
}
