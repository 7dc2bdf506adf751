// Which paths the gateway forwards: those that no server behind it reads as another path. The table in docs/paths.md has the
// decision for each path, and how nginx, Caddy, Node, Tomcat and PHP read it. Tests compare both with the table.

/** A path without these has no empty segment, no dot segment and nothing to decode. Two slashes at its end match too. */
const SUSPECT = /[%;\\]|\/[/.]/;
/** A separator or a control character, in any decoding. UTF-8 never has the bytes C0 and C1 (overlong `.` and `/`). */
// oxlint-disable-next-line no-control-regex -- the rule looks for control characters
const FORBIDDEN = /[/\\\u0000-\u001F\u007F\u00C0\u00C1]/;
/** A segment that some server reads as `..`: only dots and spaces, because some servers trim spaces. */
const DOTS = /^\s*\.[\s.]*$/;
const ENCODED = /%([0-9a-f]{2})/gi;
const BROKEN = /%(?![0-9a-f]{2})/i;

/**
 * Whether a path may be forwarded. `path` is as the caller sent it: it begins with a slash and has no query. Each segment is
 * judged undecoded, decoded once and decoded twice.
 */
export function isForwardablePath(path: string): boolean {
  if (!SUSPECT.test(path)) return true;
  if (BROKEN.test(path)) return false;
  const segments = path.split('/').slice(1);
  return segments.every((segment, index) => {
    if (segment === '' && index === segments.length - 1) return true;
    const once = decodeBytes(segment);
    return [segment, once, decodeBytes(once)].every(isPlain);
  });
}

/** What a header holds: nothing that two servers could read differently, such as raw bytes or two values. */
const VISIBLE = /^\/[!-~]*$/;

/** The path of a call that another server holds, without its query; null for one that not every server reads alike. */
export function plainPathOf(target: string): string | null {
  const [path = ''] = target.split('?', 1);
  return VISIBLE.test(path) && isForwardablePath(path) ? path : null;
}

/** Servlet containers cut a segment at its first `;`. A server that decodes twice may find a query or a fragment in it. */
function isPlain(segment: string): boolean {
  if (FORBIDDEN.test(segment)) return false;
  const [name = ''] = segment.split(/[;?#]/, 1);
  return name !== '' && !DOTS.test(name);
}

/** Decodes each byte to one character. A dot and a slash are one byte in every encoding that servers use here. */
function decodeBytes(text: string): string {
  return text.replaceAll(ENCODED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
