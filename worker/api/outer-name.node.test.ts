import { expect, it } from 'vitest';
import { hideInnerName } from './outer-name.ts';

const CALLED = 'https://inner.example/v1/things/7?x=1';
const MANY = 200_000;

function linkOf(link: string, called = CALLED): string | null {
  const headers = new Headers({ link });
  hideInnerName(headers, called);
  return headers.get('link');
}

it.each([
  ['<https://inner.example/a>; rel=next', '</a>; rel=next'],
  ['<https:a>; rel=next', '<https:a>; rel=next'],
  ['<//inner.example/a>; title="<https://inner.example/a>"', '</a>; title="<https://inner.example/a>"'],
  ['</a>; ANCHOR = "https://inner.example/b"', '</a>; ANCHOR = "/b"'],
  ['</a>; xanchor="https://inner.example/b"', '</a>; xanchor="https://inner.example/b"'],
  [String.raw`</a>; title="\"", <https://inner.example/b>`, String.raw`</a>; title="\"", </b>`],
])('takes the name of the API out of a link: %s', (given, expected) => {
  expect(linkOf(given)).toBe(expected);
});

it.each([
  '</a>; title="b',
  String.raw`</a>; title="b\"`,
  '</a>; title="b\\',
  '</a>; anchor="https://inner.example/',
])('leaves out links of which one has a quoted text without an end: %s', (given) => {
  expect(linkOf(given)).toBeNull();
});

// A reader that begins again at each sign needs minutes for a text of this length.
it.each([
  ['quotes that nothing closes', `</a>; title="${String.raw`\"`.repeat(MANY)}`, null],
  ['targets that nothing closes', '<'.repeat(MANY), '<'.repeat(MANY)],
  ['anchors', 'anchor = '.repeat(MANY), 'anchor = '.repeat(MANY).trim()],
])('reads long links of the API once, from their beginning to their end: %s', (_, given, expected) => {
  // Not toBe: its message would hold both texts.
  expect(linkOf(given) === expected).toBe(true);
});

it('reads the address that was called once, however many links name a host', () => {
  const links = '<//a>,'.repeat(20_000);
  expect(linkOf(links, `${CALLED}${'x'.repeat(2_000_000)}`) === links).toBe(true);
});
