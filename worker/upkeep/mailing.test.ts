// The mails about events, from the change by the real routes to the local form of Cloudflare's send_email binding.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { FAULTS, deploymentWith } from '../test/faults.ts';
import {
  givenCode,
  givenOrganisation,
  givenSession,
  givenToken,
  settledAt,
  writing,
} from '../test/harness.ts';
import { recordMails } from '../test/mails.ts';
import type { Mail } from '../test/mails.ts';
import { describeMails } from './mailing.suite.ts';
import { TEN_MINUTES_CRON, MINUTE_CRON } from './run.ts';

describeMails(
  (fault) => openDeployment(fault === null ? env : deploymentWith(fault).env).openDatabase(),
  FAULTS,
  20,
);

const MINUTE = 60_000;
const SENDER = 'zone@example.com';
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const CLIENT = { 'cf-connecting-ip': '203.0.113.7', 'user-agent': FIREFOX };

/** The deployment with the real binding, and what it has sent. */
function mailing(settings: object = {}) {
  const { EMAIL, mails, outcomes } = recordMails();
  const deployment = { ...env, EMAIL, EMAIL_FROM: SENDER, ...settings };
  return {
    deployment,
    mails: async () => {
      await Promise.all(outcomes);
      return mails;
    },
  };
}

const run = (deployment: Env, cron: string, at = Date.now()) =>
  worker.scheduled(
    createScheduledController({ scheduledTime: at, cron }),
    deployment,
    createExecutionContext(),
  );

beforeEach(async () => {
  // What other tests have written is not mailed here.
  await run(env, TEN_MINUTES_CRON);
  await env.DB.prepare('DELETE FROM notices').run();
});
afterEach(() => vi.restoreAllMocks());

async function given(names = 2) {
  const emails = Array.from({ length: names }, () => `${crypto.randomUUID()}@example.com`).toSorted();
  const organisation = await givenOrganisation('enterprise', emails);
  const [actor = ''] = emails;
  const session = { ...(await givenSession(actor)), ...CLIENT };
  return { emails, organisation, actor, session, path: `/api/organisations/${organisation}/tokens` };
}

describe('a change', () => {
  it('is told to every member right after its answer: who, which token, when and from where, without a secret', async () => {
    const { deployment, mails } = mailing();
    const { emails, organisation, actor, session, path } = await given();
    const answer = await settledAt(deployment, path, writing('POST', session, { name: 'Zapier <b>' }));
    const { token, secret } = await answer.json<{ token: { id: string; preview: string }; secret: string }>();
    const sent = await mails();
    expect(sent.map(({ to }) => to).toSorted()).toEqual(emails);
    const [mail] = sent;
    expect(mail).toMatchObject({ from: SENDER, subject: '9Pic: an API token was created' });
    const who = `by ${actor} with Firefox on Windows, at the network address 203.0.113.7, on `;
    expect(mail?.text).toContain(`- Zapier <b> (${token.preview}***), ${who}`);
    expect(mail?.html).toContain(`<li>Zapier &lt;b> (${token.preview}***), ${who}`);
    for (const body of [mail?.text, mail?.html]) {
      expect(body).toContain(
        `https://zone.example/developer-zone/tokens/${token.id}?organisation=${organisation}`,
      );
      expect(body).toMatch(/ at \d\d:\d\d:\d\d UTC/);
      expect(body).not.toContain(secret.slice(5));
      expect(body).not.toContain('#code=');
    }
  });

  it('is told for each kind by a mail of its own', async () => {
    const { deployment, mails } = mailing();
    const { session, path, organisation } = await given(1);
    const created = await settledAt(deployment, path, writing('POST', session, { name: 'Website' }));
    const { token } = await created.json<{ token: { id: string; preview: string } }>();
    const rotated = await settledAt(
      deployment,
      `${path}/${token.id}/rotate`,
      writing('POST', session, { retire: '24h' }),
    );
    const { token: replaced, secret } = await rotated.json<{ token: { preview: string }; secret: string }>();
    await settledAt(deployment, `/v1/ping?token=${secret}`, { headers: CLIENT });
    await settledAt(deployment, `${path}/${token.id}`, writing('DELETE', session));
    for (let count = 0; count < 10; count++) await givenToken(organisation);
    expect((await settledAt(deployment, path, writing('POST', session, {}))).status).toBe(409);
    await run(deployment, MINUTE_CRON);
    const sent = await mails();
    expect(sent.map(({ subject }) => subject).toSorted()).toEqual([
      '9Pic: an API token has a new value',
      '9Pic: an API token is exposed',
      '9Pic: an API token was created',
      '9Pic: an API token was deleted',
      '9Pic: no further API token can be created',
    ]);
    const textOf = (words: string) => sent.find(({ subject }) => subject.endsWith(words))?.text ?? '';
    expect(textOf('has a new value')).toContain(`- Website (${replaced.preview}***), by `);
    expect(textOf('is exposed')).toContain(
      'it was sent in the address (URL) of a call, from the network address',
    );
    expect(textOf('is exposed')).toMatch(/choose “Replace it”.*delete it\./);
    expect(textOf('was deleted')).toContain(`- Website (${replaced.preview}***), by `);
    expect(textOf('can be created')).toContain('Firefox on Windows');
    expect(sent.map(({ text, html }) => text + html).join('')).not.toContain(secret.slice(5));
  });

  it.each(['24h', 'now'])(
    'is told with advice about the value that leaked: one that was replaced (%s) asks for no other replacement',
    async (retire) => {
      const { deployment, mails } = mailing();
      const { session, path, organisation } = await given(1);
      const { id, secret } = await givenToken(organisation);
      await settledAt(deployment, `${path}/${id}/rotate`, writing('POST', session, { retire }));
      await settledAt(deployment, '/report', {
        method: 'POST',
        headers: { ...CLIENT, 'content-type': 'application/json' },
        body: JSON.stringify({ tokens: [secret] }),
      });
      const told = (await mails()).find(({ subject }) => subject === '9Pic: an API token is exposed');
      expect(told?.text).toContain(`- ${secret.slice(0, 5)}***: somebody has found and reported it, on `);
      expect(told?.text).toContain('(this value was replaced, and is refused)');
      expect(told?.text).toContain('Nothing needs to be replaced');
      expect(told?.text).not.toMatch(/Replace it|still works/);
    },
  );

  it('is answered as ever when its mail cannot be sent, and the mail is tried again', async () => {
    const send = vi
      .fn<(mail: Mail) => Promise<unknown>>()
      .mockRejectedValueOnce(Object.assign(new Error('to a@b.example'), { code: 'E_DELIVERY_FAILED' }))
      .mockResolvedValue({});
    const EMAIL = { send } as unknown as NonNullable<Env['EMAIL']>;
    const { deployment } = mailing({ EMAIL });
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    const { session, path, emails } = await given(1);
    expect((await settledAt(deployment, path, writing('POST', session, {}))).status).toBe(201);
    expect(printed.join('\n')).toContain('"event":"mail-not-sent","detail":"E_DELIVERY_FAILED"');
    expect(printed.join('\n')).not.toContain('@');
    await run(deployment, TEN_MINUTES_CRON, Date.now() + 11 * MINUTE);
    expect(send.mock.calls.map(([{ to }]) => to)).toEqual([...emails, ...emails]);
  });

  it('is not told later where no mail could be sent, and nothing waits', async () => {
    const { session, path } = await given(1);
    await settledAt(env, path, writing('POST', session, {}));
    await run(env, MINUTE_CRON);
    await run(env, TEN_MINUTES_CRON);
    const { deployment, mails } = mailing();
    await run(deployment, TEN_MINUTES_CRON);
    expect(await mails()).toEqual([]);
    expect(await env.DB.prepare('SELECT count(*) AS n FROM notices').first('n')).toBe(0);
  });

  it('reads nothing more of storage for a caller who changes nothing', async () => {
    const { env: counted, calls } = deploymentWith(null);
    const { EMAIL } = env as Env;
    const deployment = { ...counted, EMAIL, EMAIL_FROM: SENDER } as Env;
    for (const path of ['/api/organisations/acme/tokens', '/api/sign-in/redeem', '/operator/organisations'])
      await settledAt(deployment, path, writing('POST', CLIENT, {}));
    expect(calls.filter((name) => name.startsWith('D1'))).toEqual([]);
  });
});

describe('a sign-in', () => {
  /** Signs in by a link, and answers the cookies of the browser. */
  async function signIn(deployment: Env, email: string, known = ''): Promise<string> {
    const code = await givenCode(email, 'browser');
    const cookie = `local-sign-in=browser; ${known}`;
    const answer = await settledAt(
      deployment,
      '/api/sign-in/redeem',
      writing('POST', { ...CLIENT, cookie }, { code }),
    );
    expect(answer.status).toBe(204);
    return answer.headers.getSetCookie()[1]?.split(';')[0] ?? '';
  }

  it('with a new browser is told to the member alone, once, however many organisations they have', async () => {
    const { deployment, mails } = mailing();
    const [email, other] = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`];
    for (let count = 0; count < 3; count++) await givenOrganisation('enterprise', [email, other]);
    await signIn(deployment, email);
    await run(deployment, TEN_MINUTES_CRON, Date.now() + 2 * MINUTE);
    const sent = await mails();
    expect(sent.map(({ to, subject }) => [to, subject])).toEqual([
      [email, '9Pic: you signed in with a new browser'],
    ]);
    expect(sent[0]?.text).toContain(
      '- Firefox on Windows, at the network address 203.0.113.7, by a mailed link, on ',
    );
    expect(sent[0]?.text).toContain('\r\nhttps://zone.example/sessions\r\n');
  });

  it('with a browser in which they signed in before is not, also when another member signed in meanwhile', async () => {
    const { deployment, mails } = mailing();
    const [ann, bob] = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`];
    await givenOrganisation('enterprise', [ann, bob]);
    const first = await signIn(deployment, ann);
    const both = await signIn(deployment, bob, first);
    await signIn(deployment, ann, both);
    await signIn(deployment, bob, both);
    expect((await mails()).map(({ to }) => to)).toEqual([ann, bob]);
    const { results } = await env.DB.prepare(
      "SELECT detail FROM events WHERE actor IN (?, ?) AND action = 'sign-in' ORDER BY id",
    )
      .bind(ann, bob)
      .all();
    expect(results.map(({ detail }) => detail)).toEqual([
      'link, new browser',
      'link, new browser',
      'link',
      'link',
    ]);
  });

  it('remembers four members of a browser, by marks that nobody else can make', async () => {
    const people = Array.from({ length: 5 }, () => `${crypto.randomUUID()}@example.com`);
    await givenOrganisation('enterprise', people);
    let known = '';
    for (const email of people) known = await signIn(env, email, known);
    expect(known).toMatch(/^local-known-browser=[\w-]{43}(?:\.[\w-]{43}){3}$/);
    const [first = '', , , , last = ''] = people;
    await signIn(env, first, known);
    await signIn(env, last, known);
    await signIn(
      env,
      last,
      known.replace(/=[\w-]/, (start) => (start === '=A' ? '=B' : '=A')),
    );
    const detailOf = async (email: string) => {
      const { results } = await env.DB.prepare(
        "SELECT detail FROM events WHERE actor = ? AND action = 'sign-in' ORDER BY id",
      )
        .bind(email)
        .all();
      return results.map(({ detail }) => detail);
    };
    expect(await detailOf(first)).toEqual(['link, new browser', 'link, new browser']);
    expect(await detailOf(last)).toEqual(['link, new browser', 'link', 'link, new browser']);
  });
});
