// Describes who asked for a sign-in link, for the person who gets the mail. The text of a client is never repeated, because the mail
// would then have a stranger's text.

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

/** For example "Firefox on Windows, at the network address 203.0.113.7". */
export function askerOf(client: { address: string | null; agent: string | null }): string {
  const named = (names: [RegExp, string][]) =>
    names.find(([pattern]) => pattern.test(client.agent ?? ''))?.[1];
  const [browser, system] = [named(BROWSERS) ?? 'an unknown browser', named(SYSTEMS)];
  const address =
    client.address !== null && /^[\da-f.:]{2,45}$/i.test(client.address)
      ? `the network address ${client.address}`
      : 'an unknown network address';
  return `${system === undefined ? browser : `${browser} on ${system}`}, at ${address}`;
}
