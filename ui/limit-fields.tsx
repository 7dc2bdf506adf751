// The fields for the end, the paths, the networks and the websites of a token. Each shows a refusal of its own value.
import { ChevronsUpDown } from 'lucide';
import type { Draft, Ending, List, Refusal } from './draft.ts';
import { formatEnd } from './format.ts';
import { Icon } from './icon.tsx';
import { dayOf, endOf } from './limit-ends.ts';
import { ENDINGS, LISTS, words } from './limit-texts.ts';
import { NO_LOGIN } from './no-login.ts';
import { boot } from './state.ts';
import { Text } from './text.tsx';

type Props = {
  draft: Draft;
  refusal: Refusal | null;
  /** A call is on its way, or its answer was lost: the choices stand. */
  isFixed: boolean;
  change: (part: Partial<Draft>) => void;
};

/** All of them, for a new token. */
export function LimitFields(props: Props) {
  return (
    <div class="limit-fields">
      <EndField {...props} />
      {(Object.keys(LISTS) as List[]).map((list) => (
        <ListField key={list} list={list} {...props} />
      ))}
    </div>
  );
}

/** `asItIs`: the end that the token has, where it may be kept. */
export function EndField({
  draft,
  refusal,
  isFixed,
  change,
  asItIs = null,
}: Props & { asItIs?: string | null }) {
  const { ending, date, expiresAt } = draft;
  const isDate = ending === 'date';
  const choose = (next: Pick<Draft, 'ending' | 'date'>): void =>
    change({ ...next, expiresAt: endOf(next.ending, next.date, asItIs) });
  const hint =
    expiresAt === null
      ? isDate
        ? words.noDate
        : ''
      : isDate
        ? words.endOfDay(formatEnd(expiresAt))
        : ending === 'as-is'
          ? ''
          : words.exact(formatEnd(expiresAt));
  return (
    <div class="field">
      <label for="limit-ending">{words.expires}</label>
      <div class="ending">
        <span class="select">
          <select
            id="limit-ending"
            data-field={isDate ? undefined : 'expiresAt'}
            disabled={isFixed}
            aria-describedby="limit-end-hint limit-end-refused"
            value={ending}
            onChange={({ currentTarget: { value } }) =>
              // The options are the keys of `ENDINGS`, and `as-is`.
              choose({ ending: value as Ending, date })
            }
          >
            {asItIs !== null && <option value="as-is">{words.asItIs(formatEnd(asItIs))}</option>}
            {Object.entries(ENDINGS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          <Icon of={ChevronsUpDown} size={16} />
        </span>
        {isDate && (
          <input
            type="date"
            data-field="expiresAt"
            min={dayOf(new Date())}
            max="9999-12-31"
            readOnly={isFixed}
            aria-label={words.date}
            aria-invalid={refusal?.field === 'expiresAt'}
            aria-describedby="limit-end-hint limit-end-refused"
            defaultValue={date}
            onInput={({ currentTarget: { value } }) => choose({ ending, date: value })}
          />
        )}
      </div>
      <Refused id="limit-end-refused" text={refusal?.field === 'expiresAt' ? refusal.text : ''} />
      <p id="limit-end-hint" class="hint">
        <Text of={hint} />
      </p>
    </div>
  );
}

/** A list as a text, with one entry on each line. */
export function ListField({
  list,
  draft,
  refusal,
  isFixed,
  change,
  hint = LISTS[list].hint(boot.most[list]),
}: Props & { list: List; hint?: string }) {
  const { label, placeholder } = LISTS[list];
  const isRefused = refusal?.field === list;
  const id = `limit-${list}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        data-field={list}
        class="mono"
        rows={1}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        translate={false}
        {...NO_LOGIN}
        readOnly={isFixed}
        placeholder={placeholder}
        aria-invalid={isRefused}
        aria-describedby={`${id}-refused ${id}-hint`}
        defaultValue={draft[list]}
        onInput={({ currentTarget: { value } }) => change({ [list]: value })}
      />
      <Refused id={`${id}-refused`} text={isRefused ? refusal.text : ''} />
      <p id={`${id}-hint`} class="hint">
        {hint}
      </p>
    </div>
  );
}

/** There, empty, before anything is refused: a live region must exist before its text. */
function Refused({ id, text }: { id: string; text: string }) {
  return (
    <span id={id} role="alert" class="error" translate={false}>
      <Text of={text} />
    </span>
  );
}
