// Which paths the gateway forwards: those that no server behind it reads as another path. docs/paths.md is the table of what
// the rule decides and of what nginx, Caddy, Node, Tomcat and PHP make of each path; tests compare both with it.

/** Without these, a path has no empty segment, no dot segment and nothing to decode. Trailing slashes are caught below. */
const SUSPECT = /[%;\\]|\/[/.]/;
/** A separator or a control character, in any decoding; C0 and C1 are bytes that UTF-8 never has (overlong `.` and `/`). */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const FORBIDDEN = /[/\\\u0000-\u001F\u007F\u00C0\u00C1]/;
/** A segment that some server reads as a step up: dots alone, and spaces that it trims. */
const DOTS = /^\s*\.[\s.]*$/;
const ENCODED = /%([0-9a-f]{2})/gi;
const BROKEN = /%(?![0-9a-f]{2})/i;

/**
 * Whether a path may be forwarded. `path` begins with a slash and has no query, as the caller sent it. Each segment is judged
 * as it stands, decoded once and decoded twice.
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

/** Servlet containers cut a segment at its first `;`; what decodes a path twice finds a query or a fragment in it. */
function isPlain(segment: string): boolean {
  if (FORBIDDEN.test(segment)) return false;
  const [name = ''] = segment.split(/[;?#]/, 1);
  return name !== '' && !DOTS.test(name);
}

/** A character for each byte, whatever the bytes mean together: a dot and a slash are one byte in every encoding at stake. */
function decodeBytes(text: string): string {
  return text.replaceAll(ENCODED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
