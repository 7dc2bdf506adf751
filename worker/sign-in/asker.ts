// Describes a client: for the person who gets a mail, the one that did what the mail is about; for a member, the one of a session. The
// text of a client is never repeated, because a mail would then have a stranger's text.

const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/\bWindows\b/, 'Windows'],
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'an iPhone'],
  [/\biPad\b/, 'an iPad'],
  [/\bMac OS X\b/, 'a Mac'],
  [/\bCrOS\b/, 'a Chromebook'],
  [/\bLinux\b/, 'Linux'],
];

/** For example "Firefox on Windows". `unknown`: what is said of a browser that has no name here. */
export function browserOf(agent: string | null, unknown: string): string {
  const named = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent ?? ''))?.[1];
  const [browser, system] = [named(BROWSERS) ?? unknown, named(SYSTEMS)];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** For example "Firefox on Windows, at the network address 203.0.113.7". */
export function askerOf(client: { address: string | null; agent: string | null }): string {
  return `${browserOf(client.agent, 'an unknown browser')}, at ${networkOf(client.address)}`;
}

/** For example "the network address 203.0.113.7". */
export function networkOf(address: string | null): string {
  return address !== null && /^[\da-f.:]{2,45}$/i.test(address)
    ? `the network address ${address}`
    : 'an unknown network address';
}
