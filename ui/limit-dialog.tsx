// Changes one limit of a token: its access, its paths, its networks, its websites or its end.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { changeToken } from './api.ts';
import type { Limits, Token } from './api.ts';
import { words as counts } from './calls-texts.ts';
import { useChange } from './change.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { words as dialogs } from './dialog-texts.ts';
import { NEW_DRAFT, chosen, refusalOf } from './draft.ts';
import type { Draft, List, Refusal } from './draft.ts';
import { focusWhenDrawn } from './focus.ts';
import { fromBrowsers } from './foresight.ts';
import { ForesightNote } from './foresight-note.tsx';
import { formatClock } from './format.ts';
import { EndField, ListField } from './limit-fields.tsx';
import { endOf } from './limit-ends.ts';
import { LISTS, words } from './limit-texts.ts';
import { boot, dialog, report } from './state.ts';
import { Text } from './text.tsx';
import { isExpired, limitsOf, patchToken, quoted } from './tokens.ts';

/** The dialog of this file, where it is open. */
export function LimitDialogs() {
  const open = dialog.value;
  if (open?.kind !== 'limit') return null;
  const { token, of, add } = open;
  if (of === 'access') return <AccessDialog token={token} />;
  return of === 'expiresAt' ? (
    <EndDialog token={token} />
  ) : (
    <ListDialog token={token} list={of} add={add ?? null} />
  );
}

function useLimit(token: Token, of: keyof Limits) {
  const change = useChange(token);
  const refusal = useSignal<Refusal | null>(null);
  const refuse = (found: Refusal): void => {
    refusal.value = found;
    focusWhenDrawn(`dialog [data-field="${found.field}"]`);
  };
  /** `told`: what the page says afterwards, with the time since which it is so everywhere. */
  const save = (value: Partial<Limits>, told: (at: string) => string): Promise<void> =>
    change.run(
      () => changeToken(token, value),
      ({ token: now, effectiveAt }) => {
        patchToken(token, limitsOf(now));
        report(token, 'ok', told(formatClock(effectiveAt)));
      },
      words.failed,
      (failure) => {
        const found = refusalOf(failure);
        if (found?.field !== of) return false;
        refuse(found);
        return true;
      },
    );
  return { ...change, refusal, refuse, save };
}

function Foot({ change, confirm }: { change: ReturnType<typeof useLimit>; confirm: string }) {
  const { busy, failure, lead, close } = change;
  return (
    <DialogFoot
      busy={busy.value}
      failure={failure.value}
      lead={lead.value}
      confirm={confirm}
      waiting={words.saving}
      onCancel={close}
    />
  );
}

function AccessDialog({ token }: { token: Token }) {
  const change = useLimit(token, 'access');
  const refused = change.refusal.value?.text ?? '';
  return (
    <Dialog
      labelledBy="limit-title"
      describedBy="limit-body"
      guarded={change.busy.value}
      onClose={change.close}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void change.save({ access: 'read' }, (at) => {
            // The button that opened the dialog is gone.
            focusWhenDrawn('#edit-paths');
            return words.readOnlySince(at);
          });
        }}
      >
        <h2 id="limit-title">
          <Text of={words.narrowTitle(quoted(token))} />
        </h2>
        <div id="limit-body" class="dialog-body">
          <ForesightNote token={token} more={() => counts.methodNotKnown} />
          <p class="quiet">{words.narrowBody}</p>
        </div>
        <span role="alert" class="error">
          <Text of={refused} />
        </span>
        <Foot change={change} confirm={words.narrowConfirm} />
      </form>
    </Dialog>
  );
}

/** `add`: an entry that the member wants to add. */
function ListDialog({ token, list, add }: { token: Token; list: List; add: string | null }) {
  const change = useLimit(token, list);
  const before = token[list];
  const first = add === null ? before : [...before, add];
  const draft = useSignal<Draft>({ ...NEW_DRAFT, [list]: first.join('\n') });
  const isChanged = draft.value[list] !== before.join('\n');
  const { title, narrowed, changed, freed, hint } = LISTS[list];
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const after = chosen(draft.value)[list];
    if (after.toSorted().join(' ') === before.toSorted().join(' ')) {
      change.close();
      return;
    }
    const isNarrower = before.length === 0 || before.some((entry) => !after.includes(entry));
    void change.save({ [list]: after }, after.length === 0 ? freed : isNarrower ? narrowed : changed);
  };
  return (
    <Dialog labelledBy="limit-title" guarded={change.busy.value} filled={isChanged} onClose={change.close}>
      <form noValidate onSubmit={save}>
        <h2 id="limit-title">
          <Text of={title(quoted(token))} />
        </h2>
        <ListField
          list={list}
          draft={draft.value}
          refusal={change.refusal.value}
          isFixed={change.busy.value}
          change={(part) => {
            draft.value = { ...draft.value, ...part };
            change.refusal.value = null;
          }}
          hint={`${hint(boot.most[list])} ${list !== 'paths' ? words.empty : before.length === 0 ? words.emptyPaths : words.pathsOnce}`}
        />
        <ForesightNote
          token={token}
          listed={list === 'networks'}
          more={
            list === 'networks'
              ? undefined
              : (calls) => (list === 'paths' ? counts.pathNotKnown : counts.browsers(fromBrowsers(calls)))
          }
        />
        {/* Below the networks from which it is called: what cannot be known of them. */}
        {list === 'networks' && <p class="hint">{counts.addressesNotKept}</p>}
        <Foot change={change} confirm={words.save} />
      </form>
    </Dialog>
  );
}

function EndDialog({ token }: { token: Token }) {
  const change = useLimit(token, 'expiresAt');
  const { active, expiresAt } = token;
  // As it was when the dialog was opened: the end may come meanwhile.
  const isOver = useRef(isExpired(token)).current;
  const first = isOver ? '30' : expiresAt === null ? 'never' : 'as-is';
  const draft = useSignal<Draft>({ ...NEW_DRAFT, ending: first, expiresAt: endOf(first, '', expiresAt) });
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const { ending, expiresAt: next } = draft.value;
    if (ending === 'date' && next === null) {
      change.refuse({ field: 'expiresAt', text: dialogs.create.noDate });
      return;
    }
    if (next === expiresAt) {
      change.close();
      return;
    }
    const told =
      isOver && active ? words.acceptedAgain : next === null ? words.noEndSince : words.newEndSince;
    void change.save({ expiresAt: next }, told);
  };
  const body = !isOver ? words.endBody : active ? words.newEndBody : words.newEndBodyInactive;
  return (
    <Dialog
      labelledBy="limit-title"
      describedBy="limit-body"
      guarded={change.busy.value}
      onClose={change.close}
    >
      <form noValidate onSubmit={save}>
        <h2 id="limit-title">
          <Text of={isOver ? words.newEndTitle(quoted(token)) : words.endTitle(quoted(token))} />
        </h2>
        <div id="limit-body" class="dialog-body">
          {!isOver && <ForesightNote token={token} />}
          <p class="quiet">{body}</p>
        </div>
        <EndField
          draft={draft.value}
          refusal={change.refusal.value}
          isFixed={change.busy.value}
          change={(part) => {
            draft.value = { ...draft.value, ...part };
            change.refusal.value = null;
          }}
          asItIs={isOver ? null : expiresAt}
        />
        <Foot change={change} confirm={words.save} />
      </form>
    </Dialog>
  );
}
