// The challenges of the API behind this one (RFC 9110 section 11.6.1). A client that gives its token up must not do so
// for another's refusal, so that no challenge of the API reads like one of ours.

/** The realm of our own challenges. */
export const REALM = 'api';
/** What the API's Bearer challenges are called where they have no realm, or ours. */
const UPSTREAM_REALM = 'upstream';

/** The same challenges, with no Bearer challenge among them that has our realm or none. */
export function upstreamChallenges(value: string): string {
  const challenges: { scheme: string; parameters: string[] }[] = [];
  // A quoted string may hold a comma.
  for (const [element] of value.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)) {
    const text = element.trim();
    const [, scheme, rest = ''] = /^([^\s=",]+)(?:\s+([^=\s].*))?$/s.exec(text) ?? [];
    const last = challenges.at(-1);
    if (scheme !== undefined) challenges.push({ scheme, parameters: rest === '' ? [] : [rest] });
    else if (text !== '' && last !== undefined) last.parameters.push(text);
  }
  return challenges
    .map(({ scheme, parameters }) => {
      const own = scheme.toLowerCase() === 'bearer' ? withOwnRealm(parameters) : parameters;
      return own.length === 0 ? scheme : `${scheme} ${own.join(', ')}`;
    })
    .join(', ');
}

function withOwnRealm(parameters: string[]): string[] {
  const realms = parameters.filter((parameter) => /^realm\s*=/i.test(parameter));
  const name = realms[0]?.replace(/^realm\s*=/i, '').replaceAll(/["\\\s]/g, '');
  if (realms.length === 1 && name?.toLowerCase() !== REALM) return parameters;
  return [`realm="${UPSTREAM_REALM}"`, ...parameters.filter((parameter) => !realms.includes(parameter))];
}
