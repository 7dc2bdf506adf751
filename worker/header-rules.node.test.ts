import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerListFault, headerRules } from './header-rules.ts';

const rules = (request = '', answer = '') =>
  headerRules({ UPSTREAM_REQUEST_HEADERS: request, UPSTREAM_ANSWER_HEADERS: answer });

describe('a setting that names headers', () => {
  it.each(['', 'X-Total-Count', ' x-a , X-B*,', 'tus-resumable,upload-*', "a!#$%&'*", 'co*'])(
    'may be: %s',
    (value) => {
      expect(headerListFault(value, 'request')).toBeNull();
      expect(headerListFault(value, 'answer')).toBeNull();
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
      expect(headerListFault(value, 'request')).toBeNull();
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
