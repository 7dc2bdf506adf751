// The challenges of the API behind this one (RFC 9110 section 11.6.1). A client that gives its token up must not do so
// for another's refusal, so that no challenge of the API reads like one of ours.

/** The realm of our own challenges. */
export const REALM = 'api';
/** What the API's Bearer challenges are called where they have no realm, or ours. */
const UPSTREAM_REALM = 'upstream';

/**
 * A quoted string, which may hold a comma, and which the end of the text closes where no sign does; other text; or a comma. One of
 * them begins at every character, so that the text is read once, whatever the API sends.
 */
const PIECE = /"((?:[^"\\]|\\.)*)(?:"|\\?$)|[^",]+|,/gs;
const REALM_PARAMETER = /^realm\s*=/i;

/** The same challenges, with no Bearer challenge among them that has our realm or none. */
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
