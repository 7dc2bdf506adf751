// The challenges of the upstream API (RFC 9110 section 11.6.1). A client may throw its token away when we refuse it, but not when
// the API asks for something else. So no challenge of the API may look like one of ours.

/** The realm of our own challenges. */
export const REALM = 'api';
/** The realm that a Bearer challenge of the API gets if it has none, or ours. */
const UPSTREAM_REALM = 'upstream';

/**
 * A quoted string, other text, or a comma. A quoted string may hold a comma; it ends with the text if its closing sign is missing.
 * One of the three begins at every character, so that any text is read in one pass.
 */
const PIECE = /"((?:[^"\\]|\\.)*)(?:"|\\?$)|[^",]+|,/gs;
const REALM_PARAMETER = /^realm\s*=/i;

/** The same challenges. Each Bearer challenge has a realm that is not ours. */
export function upstreamChallenges(value: string): string {
  const challenges: { scheme: string; parameters: string[] }[] = [];
  for (const element of elementsOf(value)) {
    const [, scheme, rest = ''] = /^([^\s=",]+)(?:\s+([^=\s].*))?$/s.exec(element) ?? [];
    const last = challenges.at(-1);
    if (scheme !== undefined) challenges.push({ scheme, parameters: rest === '' ? [] : [rest] });
    else if (element !== '' && last !== undefined) last.parameters.push(element);
  }
  return challenges
    .map(({ scheme, parameters }) => {
      const own = scheme.toLowerCase() === 'bearer' ? withOwnRealm(parameters) : parameters;
      return own.length === 0 ? scheme : `${scheme} ${own.join(', ')}`;
    })
    .join(', ');
}

/** The elements of a comma-separated list, without the spaces around them. */
function elementsOf(value: string): string[] {
  const elements: string[] = [];
  let element = '';
  for (const [piece, quoted] of value.matchAll(PIECE)) {
    if (piece === ',') {
      elements.push(element.trim());
      element = '';
    } else element += quoted === undefined ? piece : `"${quoted}"`;
  }
  return [...elements, element.trim()];
}

function withOwnRealm(parameters: string[]): string[] {
  const realms = parameters.filter((parameter) => REALM_PARAMETER.test(parameter));
  const name = realms[0]?.replace(REALM_PARAMETER, '').replaceAll(/["\\\s]/g, '');
  if (realms.length === 1 && name?.toLowerCase() !== REALM) return parameters;
  return [`realm="${UPSTREAM_REALM}"`, ...parameters.filter((parameter) => !REALM_PARAMETER.test(parameter))];
}
