import { expect, it } from 'vitest';
import { readReadRequests } from './read-requests.ts';

it.each([
  ['POST', '/v1/search', true],
  ['POST', '/v1/events/42/faces', true],
  ['POST', '/v1/events/a%20b/faces', true],
  ['PUT', '/v1/search', false],
  ['post', '/v1/search', false],
  ['POST', '/v1/search/', false],
  ['POST', '/v1/search/more', false],
  ['POST', '/v1/events//faces', false],
  ['POST', '/v1/events/42/43/faces', false],
  ['POST', '/v1/events/faces', false],
])('%s %s is a read: %s', (method, path, expected) => {
  const { value: isRead, fault } = readReadRequests('POST /v1/search, POST /v1/events/*/faces');
  expect(fault).toBeUndefined();
  expect(isRead(method, path)).toBe(expected);
});

it('is nothing where the setting is empty', () => {
  expect(readReadRequests('').value('POST', '/v1/search')).toBe(false);
});

it.each([
  'POST',
  '/v1/search',
  'post /v1/search',
  'PURGE /v1/search',
  'POST /v2/search',
  'POST /v1',
  'POST /v1/search/',
  'POST /v1/a*',
  'POST /v1/**',
  'POST /v1/a?b',
  'POST  /v1/search',
  'POST /v1/search;GET /v1/a',
  ',',
])('refuses %j, and reads nothing of it', (setting) => {
  const { value: isRead, fault } = readReadRequests(setting);
  expect(fault).toContain('READ_REQUESTS: not a comma-separated list');
  expect(isRead('POST', '/v1/search')).toBe(false);
});
