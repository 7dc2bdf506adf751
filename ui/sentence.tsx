// An event as a sentence: who did what, to which token.
import { inWords, log as words } from './activity-texts.ts';
import type { Entry } from './api.ts';
import { follow } from './state.ts';
import { labelOf, tokens } from './tokens.ts';

/** "priya@example.com switched off Website". The words contain "…" for the token. A detail stands at the end, as text: it may be from anybody. */
export function Sentence({
  entry,
  linkTo,
}: {
  entry: Entry;
  /** The target of a token's name, or null for no link. */
  linkTo: (tokenId: string) => string | null;
}) {
  const { text, detail: told } = inWords(entry);
  const [before, after] = text.split('…');
  const detail = told !== null && <strong translate={false}>{told}</strong>;
  return (
    <p>
      <span class="who" translate={false}>
        {entry.actor}
      </span>
      {` ${before}`}
      {after !== undefined && <TokenName entry={entry} linkTo={linkTo} />}
      {after}
      {detail}
    </p>
  );
}

/** The present name of the token, or its mask if it was deleted. */
function TokenName({
  entry: { tokenId, preview, action, detail },
  linkTo,
}: {
  entry: Entry;
  linkTo: (tokenId: string) => string | null;
}) {
  const row =
    tokens.value.state === 'ready' ? tokens.value.value.find(({ id }) => id === tokenId) : undefined;
  const mask = preview === null ? '' : `${preview}***`;
  const first = action === 'token.created' && detail !== null ? `${detail} ` : '';
  const name = row === undefined ? first + mask : labelOf(row);
  const href = tokenId === null ? null : linkTo(tokenId);
  if (href === null) return <strong translate={false}>{name}</strong>;
  return (
    <a translate={false} href={href} title={words.onlyToken} onClick={follow}>
      {name}
    </a>
  );
}
