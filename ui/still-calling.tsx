// Who still calls with a token that was deleted, or with a value that was replaced. Nothing is shown where nobody does. Where it
// cannot be loaded, the Activity screen says that it is unknown.
import { signal, useSignal } from '@preact/signals';
import { readStillCalling } from './api.ts';
import type { StillCalling as Entry } from './api.ts';
import { focusWhenDrawn } from './focus.ts';
import { formatFull } from './format.ts';
import { follow, linkTo, organisationId } from './state.ts';
import { words } from './still-calling-texts.ts';
import { Text } from './text.tsx';

/** How many the section shows before it is unfolded. */
const SHOWN = 3;

/** `rows`: null if they could not be loaded. */
const loaded = signal<{ organisation: string; rows: Entry[] | null } | null>(null);

/** What was loaded before stays when a refresh fails. */
export async function loadStillCalling(organisation: string): Promise<void> {
  const outcome = await readStillCalling(organisation);
  if (organisationId.value !== organisation) return;
  if (outcome.ok) loaded.value = { organisation, rows: outcome.value.stillCalling };
  else if (loaded.value?.organisation !== organisation) loaded.value = { organisation, rows: null };
}

/** Null: they could not be loaded. */
const rowsHere = (): Entry[] | null =>
  loaded.value?.organisation === organisationId.value ? (loaded.value?.rows ?? null) : [];

/** The section of the Activity screen. */
export function StillCalling() {
  const isWhole = useSignal(false);
  const rows = rowsHere();
  if (rows?.length === 0) return null;
  const all = rows ?? [];
  const shown = isWhole.value ? all : all.slice(0, SHOWN);
  return (
    <section class="card values still" aria-labelledby="still">
      <header class="card-head">
        <h2 id="still">{words.title}</h2>
        <span class="hint">{rows === null ? words.unknown : words.lead}</span>
      </header>
      <ul>
        {shown.map((row, index) => (
          <li key={`${row.tokenId} ${row.preview}`} tabIndex={index === SHOWN ? -1 : undefined}>
            <p>
              <span>
                <Name row={row} />
              </span>
              <span title={formatFull(row.lastAt)}>
                <Text of={words.calls(row)} />
              </span>
            </p>
            <p class="quiet">
              <span title={formatFull(row.endedAt)}>
                <Text of={words.ended(row)} />
              </span>
            </p>
            <p class="quiet">
              <Callers row={row} />
            </p>
          </li>
        ))}
      </ul>
      {shown.length < all.length && (
        <div class="card-foot">
          <button
            type="button"
            class="button"
            onClick={() => {
              isWhole.value = true;
              focusWhenDrawn('li[tabindex]');
            }}
          >
            {words.more(all.length - shown.length)}
          </button>
        </div>
      )}
    </section>
  );
}

/** The name and the mask. A value that was replaced belongs to a token, which has a page. */
function Name({ row: { kind, tokenId, preview, name } }: { row: Entry }) {
  const mask = (
    <code class="mask" translate={false}>
      {preview}***
    </code>
  );
  if (kind === 'deleted')
    return (
      <>
        {name !== null && <strong translate={false}>{name}</strong>} {mask}
      </>
    );
  return (
    <>
      <a translate={name === null} href={linkTo(`developer-zone/tokens/${tokenId}`)} onClick={follow}>
        {name ?? words.toToken}
      </a>{' '}
      {mask}
    </>
  );
}

function Callers({ row }: { row: Entry }) {
  return row.callers.map((caller, index) => {
    const text = words.caller(caller);
    return (
      <span key={text}>
        {index > 0 && '; '}
        <Text of={text} />
      </span>
    );
  });
}

/** On the page of a token: who still calls with this value of it. */
export function StillCalled({ token, preview }: { token: string; preview: string }) {
  const row = rowsHere()?.find((one) => one.tokenId === token && one.preview === preview);
  if (row === undefined) return null;
  return (
    <p class="warn">
      <Text of={`${words.calls(row)}.`} />{' '}
      <a href={linkTo('activity')} onClick={follow}>
        {words.see}
      </a>
    </p>
  );
}
