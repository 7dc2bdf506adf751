import { describe, expect, it } from 'vitest';
import { noticeMail } from './notice-mail.ts';
import type { ToldEvent } from './notice-mail.ts';

const EVENT: ToldEvent = {
  at: '2027-07-03T12:00:30.000Z',
  actor: 'ann@example.com',
  tokenId: 'id',
  preview: '9pAbc',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0',
  detail: null,
  tokenName: 'Zapier',
  tokenActive: true,
  value: 'current',
};

type ToldKind = Parameters<typeof noticeMail>[0]['kind'];

function mailOf(
  kind: ToldKind,
  events: Partial<ToldEvent>[] = [{}],
  organisationName = 'Acme',
  count = events.length,
) {
  const notice = { kind, organisationId: 'acme & co', organisationName, events: count };
  return noticeMail(
    notice,
    events.map((fields) => ({ ...EVENT, ...fields })),
    { productName: '9Pic', origin: 'https://zone.example' },
  );
}

const KINDS: ToldKind[] = [
  'token.created',
  'token.rotated',
  'token.deleted',
  'token.exposed',
  'token.limit-refused',
  'sign-in',
];

it('says of an event who, which token, from where and when, and leads to the token', () => {
  expect(mailOf('token.created')).toEqual({
    subject: '9Pic: an API token was created',
    text: [
      'An API token of Acme was created:',
      '',
      '- Zapier (9pAbc***), by ann@example.com with Firefox on Linux, at the network address 203.0.113.7, on 3 July 2027 at 12:00:30 UTC',
      '',
      'If it should not exist, delete it in the Developer Zone: from then on every call with it is refused.',
      '',
      'https://zone.example/developer-zone/tokens/id?organisation=acme%20%26%20co',
      '',
      'You get this message because you are a member of Acme.',
      '',
    ].join('\r\n'),
    html: expect.stringContaining(
      '<a href="https://zone.example/developer-zone/tokens/id?organisation=acme%20%26%20co"',
    ) as string,
  });
});

it.each([
  ['token.created', '9Pic: 3 API tokens were created'],
  ['token.rotated', '9Pic: 3 times an API token got a new value'],
  ['token.deleted', '9Pic: 3 API tokens were deleted'],
  ['token.exposed', '9Pic: 3 API tokens are exposed'],
] as const)('counts %s in the subject, and lists each', (kind, subject) => {
  const mail = mailOf(kind, [{ tokenName: 'A' }, { tokenName: null }, { tokenName: 'C' }]);
  expect(mail.subject).toBe(subject);
  expect(mail.text.match(/^- /gm)).toHaveLength(3);
  expect(mail.text).toContain('- 9pAbc***');
});

it('does not say where the operator works', () => {
  const { text } = mailOf('token.deleted', [{ actor: 'operator' }]);
  expect(text).toContain('- Zapier (9pAbc***), by the operator, on 3 July 2027');
  expect(text).not.toContain('203.0.113.7');
});

it.each([
  ['link', ', by a mailed link, on 3 July'],
  ['oidc', ', by single sign-on, on 3 July'],
  ['of another release', '203.0.113.7, on 3 July'],
])('says of a sign-in by which method it was: %s', (method, said) => {
  expect(mailOf('sign-in', [{ detail: `${method}, new browser` }]).text).toContain(said);
});

describe('the mail about an exposed token', () => {
  it.each([
    ['url', 'it was sent in the address (URL) of a call, from the network address 203.0.113.7'],
    ['report', 'somebody has found and reported it'],
    ['report: https://evil.example/"><a>', 'somebody has found and reported it'],
    ['github: https://github.com/a/b', 'GitHub found it in public'],
  ])('says how it became known (%s), and repeats no text of a stranger', (detail, said) => {
    const { text, html } = mailOf('token.exposed', [{ detail, actor: 'caller' }]);
    expect(text).toContain(`- Zapier (9pAbc***): ${said}, on 3 July 2027 at 12:00:30 UTC (it still works)`);
    expect(text + html).not.toMatch(/evil\.example|github\.com/);
  });

  it.each([
    ['retiring', true, 'this value was replaced, and works until it ends'],
    ['retiring', false, 'it is switched off now'],
    ['ended', true, 'this value was replaced, and is refused'],
    ['ended', false, 'this value was replaced, and is refused'],
    ['ended', null, 'it is deleted by now'],
  ] as const)('says of a value that was replaced (%s) whether it works (%s)', (value, tokenActive, said) => {
    expect(mailOf('token.exposed', [{ value, tokenActive }]).text).toContain(`(${said})`);
  });

  it('says what to do unless all of the values have ended', () => {
    const ended = { value: 'ended' } as const;
    expect(mailOf('token.exposed', [ended, ended]).text).not.toContain('Replace it');
    for (const events of [
      [ended, {}],
      [{}, ended],
    ])
      expect(mailOf('token.exposed', events).text).toContain('Replace it');
    // There are more than the mail names.
    expect(mailOf('token.exposed', [ended], 'Acme', 2).text).toContain('Replace it');
  });

  it.each([
    [true, 'it still works'],
    [false, 'it is switched off now'],
    [null, 'it is deleted by now'],
  ])('says whether the token works (%s), and what to do', (tokenActive, said) => {
    const { text } = mailOf('token.exposed', [{ tokenActive }]);
    expect(text).toContain(`(${said})`);
    expect(text).toMatch(/choose “Replace it”: the old value ends at once.* “Resume anyway” .* delete it\./);
  });
});

describe.each(KINDS)('a mail of the kind %s', (kind) => {
  it('shows hostile names, addresses and clients as text of one line, and none in its subject', () => {
    const { subject, text, html } = mailOf(
      kind,
      [
        {
          tokenName: '<img src=x>\r\nBcc: evil@example.com',
          ip: '<b>1</b>',
          userAgent: '<script>Call +1 900</script>',
          detail: 'url\r\nX: <i>',
        },
      ],
      'A <b>&\r\nB \u202Egnp.exe',
    );
    expect(subject).toMatch(/^9Pic: [a-z A-Z]+$/);
    expect(html).not.toMatch(/<img|<script|<b>|<i>|\+1 900/);
    expect(text).not.toMatch(/^Bcc|^X:|\+1 900|[\u202a-\u202e]/m);
    expect(html).not.toMatch(/[\u202a-\u202e]/);
  });
});

it.each(KINDS.filter((kind) => kind !== 'sign-in'))(
  'isolates names that are written from right to left in a mail of the kind %s',
  (kind) => {
    const { text } = mailOf(kind, [{ tokenName: 'שלום' }], 'عربي');
    expect(text).toContain('\u2068عربي\u2069');
    const names = kind === 'token.limit-refused' ? [] : ['\u2068שלום\u2069 (9pAbc***)'];
    expect(text.match(/\u2068שלום\u2069 \(9pAbc\*{3}\)/g) ?? []).toEqual(names);
  },
);
