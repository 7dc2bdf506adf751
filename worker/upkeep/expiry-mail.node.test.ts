import { expect, it } from 'vitest';
import type { EndingToken } from '../token/expiry.ts';
import { expiryMail } from './expiry-mail.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const END = Date.parse('2027-07-03T12:00:30.000Z');

const token = (fields: Partial<EndingToken> = {}): EndingToken => ({
  id: 'id',
  name: 'Zapier',
  preview: '9pAbc',
  active: true,
  expiresAt: new Date(END).toISOString(),
  ...fields,
});
const mailOf = (tokens: EndingToken[], now: number, organisationName = 'Acme') =>
  expiryMail({ organisationId: 'acme & co', organisationName }, tokens, {
    productName: '9Pic',
    origin: 'https://zone.example',
    now,
  });

it('says of one token its name, its mask, when it ends, and what to do', () => {
  expect(mailOf([token()], END - 7 * DAY)).toEqual({
    subject: '9Pic: an API token expires in 7 days',
    text: [
      'This API token of Acme expires soon:',
      '',
      '- Zapier (9pAbc***): in 7 days, on 3 July 2027 at 12:00:30 UTC',
      '',
      'From then on every call with it is refused. If it is still needed, give it a later end in the Developer Zone before then.',
      '',
      'https://zone.example/developer-zone?organisation=acme%20%26%20co',
      '',
      'You get this message because you are a member of Acme.',
      '',
    ].join('\r\n'),
    html: expect.stringContaining(
      '<a href="https://zone.example/developer-zone?organisation=acme%20%26%20co"',
    ) as string,
  });
});

it('names a token without a name by its mask, and says whether it is switched off', () => {
  const { text } = mailOf([token({ name: null, active: false })], END - DAY);
  expect(text).toContain('- 9pAbc***: in 1 day, on 3 July 2027 at 12:00:30 UTC (it is switched off now)');
});

it.each([
  [30 * DAY, 'in 30 days'],
  [29 * DAY + 23 * HOUR, 'in 30 days'],
  [2 * DAY, 'in 2 days'],
  [DAY, 'in 1 day'],
  [DAY - 10 * MINUTE, 'in 1 day'],
  [20 * HOUR, 'in 20 hours'],
  [HOUR, 'in 1 hour'],
  [HOUR - 1, 'in less than an hour'],
])('with %d ms left says %s', (left, said) => {
  expect(mailOf([token()], END - left).subject).toBe(`9Pic: an API token expires ${said}`);
});

it('shows the names of people as text', () => {
  const { html } = mailOf([token({ name: '<img src=x>' })], END - DAY, 'A <b>& B');
  expect(html).toContain('&lt;img src=x>');
  expect(html).toContain('A &lt;b>&amp; B');
  expect(html).not.toMatch(/<img|A <b>/);
});

it.each([
  ['that is written from right to left is isolated', 'שלום', '- \u2068שלום\u2069 (9pAbc***): in 1 day'],
  [
    'with a line break or a hidden character stays in its line',
    'a\r\nBcc: b\u202Ec',
    '- a Bcc: b c (9pAbc***): in 1 day',
  ],
])('a name %s', (_, name, line) => {
  const { subject, text, html } = mailOf([token({ name })], END - DAY, name);
  expect(text.split('\r\n')).toContainEqual(expect.stringContaining(line) as string);
  expect(html).toContain(line.slice(2));
  expect(subject).toBe('9Pic: an API token expires in 1 day');
});
