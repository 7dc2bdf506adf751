import * as fc from 'fast-check';
import { array, number, optional, record, strictObject, string, unknown } from 'valibot';
import { expect, it } from 'vitest';
import { readBody } from './body.ts';
import { Problem } from './problem.ts';

const Anything = record(string(), unknown());
const Named = strictObject({ name: string('not a string'), size: optional(number('not a number')) });

function post(body: BodyInit): Request {
  const headers = { 'content-type': 'application/json' };
  return new Request('https://zone.example', { method: 'POST', headers, body });
}

/** What the reader says: the value, or the problem's slug and detail. */
async function read(body: BodyInit, schema: typeof Anything | typeof Named = Anything): Promise<unknown> {
  try {
    return await readBody(post(body), schema);
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.detail}`;
    throw error;
  }
}

it('reads any JSON object as JSON.parse does', async () => {
  const names = fc.oneof(fc.string(), fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', '":', 'a":'));
  const values = fc.oneof(fc.jsonValue(), names);
  // `__proto__` is what strict schemas refuse as unknown; a record would drop it.
  const objects = fc.dictionary(
    names.filter((name) => name !== '__proto__' && name !== 'constructor' && name !== 'prototype'),
    values,
  );
  await fc.assert(
    fc.asyncProperty(objects, fc.constantFrom(0, 2, '\t'), async (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(await read(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

it('finds a field that is given twice wherever it stands, however it is spelled, and at the top alone', async () => {
  const spell = (name: string, escaped: boolean) =>
    escaped
      ? `"${[...name].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(name);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }),
      fc.jsonValue(),
      fc.jsonValue(),
      fc.boolean(),
      fc.boolean(),
      async (name, first, between, one, other) => {
        const text = `{${spell(name, one)} : ${JSON.stringify(first)}, ${JSON.stringify(`between ${name}`)}: ${JSON.stringify(between)},\n${spell(name, other)}:1}`;
        expect(await read(text)).toBe(`invalid-body: Field "${name}": given twice`);
      },
    ),
    { numRuns: 300 },
  );
  expect(await read('{"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":2}]}')).toEqual({
    a: { x: 1 },
    b: { x: 1 },
    x: [{ x: 1 }, { x: 2 }],
  });
});

it.each([
  ['{"size":1}', 'Field "name": missing'],
  ['{"name":1}', 'Field "name": not a string'],
  ['{"name":"a","size":"1"}', 'Field "size": not a number'],
  ['{"name":"a","more":1}', 'Field "more": unknown'],
  [`{"name":"a","${'m'.repeat(70)}":1}`, `Field "${'m'.repeat(64)}…": unknown`],
  ['[]', 'The body is not a JSON object'],
  ['null', 'The body is not a JSON object'],
  ['"name"', 'The body is not a JSON object'],
  ['{"name":"a"} x', 'The body is not JSON'],
  ["{'name':'a'}", 'The body is not JSON'],
  ['\ufeff{"name":"a"}', 'The body is not JSON'],
  ['', 'The body is not JSON'],
])('refuses %s', async (text, detail) => {
  expect(await read(text, Named)).toBe(`invalid-body: ${detail}`);
});

it('does not read a body that names no type', async () => {
  const request = new Request('https://zone.example', {
    method: 'POST',
    body: new TextEncoder().encode('{"name":"a"}'),
  });
  await expect(readBody(request, Named)).rejects.toMatchObject({ detail: 'Header "Content-Type": missing' });
});

it('refuses bytes that are not UTF-8', async () => {
  expect(await read(Uint8Array.of(0x7b, 0xff, 0x7d), Named)).toBe('invalid-body: The body is not JSON');
});

it('takes 16 KiB and not a byte more, counted in bytes', async () => {
  const ofLength = (length: number) => `{"name":"${'x'.repeat(length - 11)}"}`;
  expect(await read(ofLength(16 * 1024), Named)).toMatchObject({});
  expect(await read(ofLength(16 * 1024 + 1), Named)).toBe('payload-too-large: A body is at most 16 KiB');
  expect(await read(`{"name":"${'é'.repeat(8 * 1024)}"}`, Named)).toContain('payload-too-large');
});

it('names the path of a wrong value within a list', async () => {
  const List = strictObject({ names: array(string('not a string')) });
  await expect(readBody(post('{"names":["a",1]}'), List)).rejects.toMatchObject({
    detail: 'Field "names.1": not a string',
  });
});
