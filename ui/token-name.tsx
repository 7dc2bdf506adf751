// The name of a token in the table, and its last use.
import type { Token } from './api.ts';
import { formatBrief, formatFull } from './format.ts';
import { follow, linkToToken, renaming } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { maskOf } from './tokens.ts';

/** The name in the table, a link to the page of the token. If there is no name, the page opens with the field for it. */
export function NameLink({ token }: { token: Token }) {
  const isUnnamed = token.name === null;
  return (
    <a
      key={token.name}
      class={isUnnamed ? 'name unnamed' : 'name'}
      href={linkToToken(token)}
      title={token.name ?? undefined}
      translate={isUnnamed}
      onClick={(event) => {
        follow(event);
        if (isUnnamed && event.defaultPrevented) renaming.value = token.id;
      }}
    >
      {token.name ?? texts.tokens.unnamed}
      {isUnnamed && <span class="hidden"> {texts.tokens.toToken(maskOf(token))}</span>}
    </a>
  );
}

export function LastUse({ at }: { at: string | null }) {
  return (
    <span title={at === null ? undefined : formatFull(at)}>
      <Text of={at === null ? texts.tokens.neverUsed : texts.tokens.used(formatBrief(at))} />
    </span>
  );
}
