// The values of a token on its page: two values while the old one has not ended, the dialog that ends the old one, and ended values.
import { endOldValue } from './api.ts';
import type { Token } from './api.ts';
import { words as counts } from './calls-texts.ts';
import { useChange } from './change.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { focusWhenDrawn } from './focus.ts';
import { callsOfValue } from './foresight.ts';
import { ValueNote } from './foresight-note.tsx';
import { formatClock, formatFull } from './format.ts';
import { words } from './rotation-texts.ts';
import { dialog, explain, report } from './state.ts';
import { StillCalled } from './still-calling.tsx';
import { Text } from './text.tsx';
import { RotateDialog, valuesOf } from './rotate-dialog.tsx';
import { callsOf } from './token-calls.ts';
import { isExpired, maskOf, patchToken } from './tokens.ts';

/** `RotateDialog` or `EndDialog`, if one of them is open. */
export function RotationDialogs() {
  const open = dialog.value;
  if (open?.kind === 'rotate') return <RotateDialog key={open.token.preview} {...open} />;
  if (open?.kind === 'end') return <EndDialog token={open.token} preview={open.preview} />;
  return null;
}

export function TwoValues({ token }: { token: Token }) {
  const { active, retiring, lastUsedAt } = token;
  if (retiring === null) return null;
  const isOver = isExpired(token);
  return (
    <section class="card values" aria-labelledby="values">
      <header class="card-head">
        <h2 id="values">
          <Text of={active && !isOver ? words.both : words.bothInactive} />
        </h2>
      </header>
      <ul>
        <li>
          <Value preview={token.preview} kind={words.current} />
          <p class="quiet">
            <Used at={lastUsedAt} /> <ValueCalls token={token} preview={token.preview} />
          </p>
        </li>
        <li>
          <Value preview={retiring.preview} kind={words.old} />
          <p class="quiet">
            <Used at={retiring.lastUsedAt} /> <ValueCalls token={token} preview={retiring.preview} />{' '}
            <span title={formatFull(retiring.retiresAt)}>
              <Text of={words.ends(retiring)} />
            </span>
          </p>
          <button
            type="button"
            class="button link danger"
            onClick={() => (dialog.value = { kind: 'end', token, preview: retiring.preview })}
          >
            {words.endNow}
          </button>
        </li>
      </ul>
      {(!active || isOver) && (
        <p class="card-foot quiet">
          <Text of={active ? words.refusedWhileExpired : words.refusedWhileOff} />
        </p>
      )}
    </section>
  );
}

function Value({ preview, kind }: { preview: string; kind: string }) {
  return (
    <p>
      <code class="mask" translate={false}>
        {preview}***
      </code>
      <span class="quiet">{kind}</span>
    </p>
  );
}

function Used({ at }: { at: string | null }) {
  return (
    <span title={at === null ? undefined : formatFull(at)}>
      <Text of={at === null ? words.never : words.used(at)} />
    </span>
  );
}

/** How often one of two values is called. */
function ValueCalls({ token, preview }: { token: Token; preview: string }) {
  const load = callsOf(token);
  const calls = load.state === 'ready' ? callsOfValue(load.value, preview) : null;
  const isUnknown = load.state === 'failed' || (load.state === 'ready' && calls === null);
  return (
    <span title={counts.utc}>
      <Text
        of={calls === null ? (isUnknown ? counts.valueUnknown : '') : counts.ofValue(calls.today, calls.week)}
      />
    </span>
  );
}

/** The values that ended in the last 30 days. */
export function EndedValues({ token: { id, retired } }: { token: Token }) {
  if (retired.length === 0) return null;
  return (
    <section class="card values" aria-labelledby="ended">
      <header class="card-head">
        <h2 id="ended">{words.history}</h2>
      </header>
      <ul>
        {retired.map(({ preview, retiredAt, lastUsedAt }) => (
          <li key={preview}>
            <code class="mask" translate={false}>
              {preview}***
            </code>
            <p class="quiet">
              <span title={formatFull(retiredAt)}>
                <Text of={`${words.refusedSince(retiredAt)}.`} />
              </span>{' '}
              <Used at={lastUsedAt} />
            </p>
            <StillCalled token={id} preview={preview} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Confirms the end of the old value. `preview`: the value that the member saw. No other value is ended. */
function EndDialog({ token, preview }: { token: Token; preview: string }) {
  const { busy, failure, lead, close, run } = useChange(token);
  const mask = `${preview}***`;
  const end = (): Promise<void> =>
    run(
      () => endOldValue(token, preview),
      ({ token: now, effectiveAt }) => {
        patchToken(token, valuesOf(now));
        report(token, 'ok', words.ended(formatClock(effectiveAt)));
        // The button that opened the dialog is removed with the old value.
        focusWhenDrawn('#rotate');
      },
      words.notEnded(mask),
      (refused) => {
        if (refused.slug !== 'secret-changed') return false;
        dialog.value = null;
        report(token, 'error', explain(refused));
        return true;
      },
    );
  return (
    <Dialog
      labelledBy="end-title"
      describedBy="end-body"
      role="alertdialog"
      guarded={busy.value}
      onClose={close}
    >
      <h2 id="end-title">
        <Text of={words.endTitle(mask)} />
      </h2>
      <div id="end-body" class="dialog-body">
        <p class="quiet">
          <Used at={token.retiring?.lastUsedAt ?? null} />
        </p>
        <ValueNote token={token} preview={preview} />
        <p>
          <Text of={words.endBody(maskOf(token))} />
        </p>
      </div>
      <DialogFoot
        busy={busy.value}
        failure={failure.value}
        lead={lead.value}
        confirm={words.end}
        waiting={words.ending}
        destructive
        onCancel={close}
        onConfirm={() => void end()}
      />
    </Dialog>
  );
}
