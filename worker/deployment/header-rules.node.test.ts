import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeaderRule } from './header-rules.ts';

const rules = (request = '', answer = '') => ({
  request: readHeaderRule('REQUEST', request, 'request').value,
  answer: readHeaderRule('ANSWER', answer, 'answer').value,
});
const headerListFault = (value: string, direction: 'request' | 'answer') =>
  readHeaderRule('SETTING', value, direction).fault;

describe('the rules', () => {
  // Written out, so that a name leaves or joins a list by a decision alone.
  it.each([
    ['request', 'accept accept-language content-type idempotency-key if-none-match last-event-id'],
    ['request', 'mcp-protocol-version mcp-session-id mcp-method mcp-name mcp-param-city'],
    ['request', 'prefer range traceparent tracestate user-agent'],
    ['answer', 'accept-ranges allow content-type deprecation etag last-modified link location'],
    ['answer', 'mcp-protocol-version mcp-session-id mcp-method mcp-name mcp-param-city'],
    ['answer', 'preference-applied ratelimit ratelimit-policy retry-after sunset www-authenticate'],
  ] as const)('let pass by themselves in a %s: %s', (direction, names) => {
    for (const name of names.split(' '))
      expect([name, rules()[direction].passes(name)]).toEqual([name, true]);
  });

  it.each([
    ['request', 'acceptx content if content-length x-client mcp mcp-param etag'],
    ['answer', 'accept content ratelimitx content-length set-cookie x-client user-agent'],
  ] as const)('let nothing else pass in a %s: %s', (direction, names) => {
    for (const name of names.split(' '))
      expect([name, rules()[direction].passes(name)]).toEqual([name, false]);
  });

  it('are those of the settings that are given, whatever was given before', () => {
    expect(rules('x-a', 'x-b').answer.passes('x-b')).toBe(true);
    expect(rules('x-a', 'x-c').answer.passes('x-b')).toBe(false);
    expect(rules('x-a', 'x-c').answer.passes('x-c')).toBe(true);
    expect(rules('x-c', 'x-c').request.passes('x-a')).toBe(false);
  });
});

describe('a setting that names headers', () => {
  it.each(['', 'X-Total-Count', ' x-a , X-B*,', 'tus-resumable,upload-*', "a!#$%&'*", 'co*'])(
    'may be: %s',
    (value) => {
      expect(headerListFault(value, 'request')).toBeUndefined();
      expect(headerListFault(value, 'answer')).toBeUndefined();
    },
  );

  it.each(['*', 'x*y', 'x**', 'a b', 'a:', 'é', 'a\nb', 'a;b'])('is no list of names: %j', (value) => {
    expect(headerListFault(value, 'request')).toContain('comma-separated');
  });

  it.each([
    'Authorization',
    'cookie',
    'Set-Cookie',
    'X-API-Key',
    'x_api_key',
    'proxy-*',
    'X-Organisation-*',
    'Cookie*',
    'Via*',
    'x.token.id',
    'X-Edge-Secret',
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'Host',
    'Upgrade',
    'Forwarded',
    'X-Forwarded-*',
    'Via',
    'x-original-url',
  ])('names what never passes: %s', (value) => {
    expect(headerListFault(`x-good, ${value}`, 'request')).toContain('never passes');
    expect(headerListFault(`x-good, ${value}`, 'answer')).toContain('never passes');
  });

  it.each(['Access-Control-Allow-Origin', 'cache-control', 'Content-Security-Policy-*', 'Vary', 'Refresh'])(
    'names what never passes in an answer: %s',
    (value) => {
      expect(headerListFault(value, 'request')).toBeUndefined();
      expect(headerListFault(value, 'answer')).toContain('never passes');
    },
  );

  it('adds exactly what it names, and never anything of what never passes', () => {
    expect(rules('x-*').request.passes('x-client')).toBe(true);
    expect(rules('x-client').request.passes('x-client-version')).toBe(false);
    expect(rules('x-client').answer.passes('x-client')).toBe(false);
    expect(rules('', 'x-client').request.passes('x-client')).toBe(false);
    const separator = fc.constantFrom(...'-_.~!#$%&^|');
    fc.assert(
      fc.property(
        fc.constantFrom('x-organisation-id', 'x-token-id', 'x-edge-secret', 'x-api-key', 'x-forwarded-for'),
        separator,
        separator,
        (name, one, two) => {
          const spelled = name.replace('-', one).replace('-', two);
          expect(rules('x*').request.passes(spelled)).toBe(false);
          expect(rules('', 'x*').answer.passes(spelled)).toBe(false);
        },
      ),
    );
  });
});
