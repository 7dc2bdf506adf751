// A token that was found in public, on its own page: where and when, what happened to it, and the three actions that a member can
// choose.
import { TriangleAlert } from 'lucide';
import { changeToken } from './api.ts';
import type { Token } from './api.ts';
import { useChange } from './change.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { words } from './exposed-texts.ts';
import { focusWhenDrawn } from './focus.ts';
import { formatClock, formatEnd } from './format.ts';
import { Icon } from './icon.tsx';
import { dialog, report } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { labelOf, patchToken, quoted, stateOf, tokens } from './tokens.ts';

/** Always on the page, and empty for other tokens: a live region must exist before its text. */
export function Exposed({ token }: { token: Token }) {
  const { exposed } = token;
  return (
    <div role="status">
      {exposed !== null && (
        <section class="alarm" aria-labelledby="exposed">
          <h2 id="exposed">
            <Icon of={TriangleAlert} />
            <Text of={words.title[exposed.by]} />
          </h2>
          <p>
            <Text of={words.found[exposed.by](formatEnd(exposed.at))} />
          </p>
          {/* Anybody may have written this address: it is text, and never a link. */}
          {exposed.where !== null && (
            <p>
              {words.where}{' '}
              <bdi class="mono" translate={false} key={exposed.where}>
                {exposed.where}
              </bdi>
            </p>
          )}
          <p>
            <Text of={exposed.paused ? words.paused : words.inactive} />
          </p>
          <div class="row-of-buttons" role="group" aria-label={words.ways}>
            <button
              type="button"
              class="button primary"
              onClick={() => (dialog.value = { kind: 'rotate', token, retire: 'now' })}
            >
              {words.replace}
            </button>
            <button type="button" class="button" onClick={() => (dialog.value = { kind: 'resume', token })}>
              {words.resume}
            </button>
            <button
              type="button"
              class="button plain danger"
              onClick={() => (dialog.value = { kind: 'delete', token })}
            >
              {words.remove}
            </button>
          </div>
        </section>
      )}
    </div>
  );
}

/** Switches an exposed token on again, after one question. */
export function ResumeDialog({ token }: { token: Token }) {
  const { busy, failure, lead, close, run } = useChange(token);
  const finish = (text: string): void => {
    dialog.value = null;
    report(token, 'ok', text);
    // The button that opened the dialog is removed with the warning.
    focusWhenDrawn(`[data-switch="${token.id}"]`);
  };
  const resume = (): Promise<void> =>
    run(
      () => changeToken(token, { active: true }),
      ({ token: now, effectiveAt }) => {
        patchToken(token, stateOf(now));
        finish(texts.toggle.activated(formatClock(effectiveAt)));
      },
      words.notResumed(labelOf(token)),
      () => {
        const isDone =
          tokens.value.state === 'ready' &&
          tokens.value.value.some(({ id, active, exposed }) => id === token.id && active && exposed === null);
        if (isDone) finish(texts.tokens.active);
        return isDone;
      },
    );
  return (
    <Dialog
      labelledBy="resume-title"
      describedBy="resume-body"
      role="alertdialog"
      guarded={busy.value}
      onClose={close}
    >
      <h2 id="resume-title">
        <Text of={words.resumeTitle(quoted(token))} />
      </h2>
      <p id="resume-body">{words.resumeBody}</p>
      <DialogFoot
        busy={busy.value}
        failure={failure.value}
        lead={lead.value}
        confirm={words.resumeConfirm}
        waiting={words.resuming}
        destructive
        onCancel={close}
        onConfirm={() => void resume()}
      />
    </Dialog>
  );
}
