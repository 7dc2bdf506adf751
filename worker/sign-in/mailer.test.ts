// Sign-in links by e-mail, through the local form of Cloudflare's send_email binding.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { deploymentWith } from '../test/faults.ts';
import { callAt, givenOrganisation, settledAt, writing } from '../test/harness.ts';
import { recordMails } from '../test/mails.ts';

const DEPLOYED = 'https://zone.example';

/** What a deployed host is asked for a link with. */
const LINK = `${DEPLOYED}/api/sign-in/link`;
const askFor = (email: string, client: Record<string, string> = {}): RequestInit =>
  writing('POST', { origin: DEPLOYED, 'cf-connecting-ip': crypto.randomUUID(), ...client }, { email });

/** Asks a deployed host for a link, and hands on what was mailed by the time that the answer was there, and after it. */
async function ask(email: string, settings: object = {}, client: Record<string, string> = {}) {
  const { EMAIL, mails, outcomes } = recordMails();
  const deployment = { ...env, EMAIL, EMAIL_FROM: 'zone@example.com', ...settings };
  const answer = await settledAt(deployment, LINK, askFor(email, client));
  return {
    answer,
    mails,
    failed: (await Promise.allSettled(outcomes)).filter(({ status }) => status === 'rejected'),
  };
}

describe('sign-in links by e-mail', () => {
  it('mails the link to a member, and the answer does not have it', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const { answer, mails, failed } = await ask(email);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ sent: true });
    expect(failed).toEqual([]);
    const [mail] = mails;
    expect(mail).toMatchObject({ from: 'zone@example.com', to: email, subject: 'Sign in to 9Pic' });
    for (const body of [mail?.text, mail?.html])
      expect(body).toMatch(/https:\/\/zone\.example\/sign-in#code=[\w-]{43}\b/);
    const code = /#code=([\w-]{43})/.exec(mail?.text ?? '')?.[1];
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const redeeming = writing('POST', { origin: DEPLOYED, cookie }, { code });
    const redeemed = await callAt(env, `${DEPLOYED}/api/sign-in/redeem`, redeeming);
    expect(redeemed.status).toBe(204);
  });

  it('answers before the mail is sent, so that the time does not tell who is a member', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const never = { send: () => new Promise(() => {}) } as unknown as NonNullable<Env['EMAIL']>;
    const deployment = { ...env, EMAIL: never, EMAIL_FROM: 'zone@example.com' };
    const answer = await callAt(deployment, LINK, askFor(email));
    expect(answer.status).toBe(202);
  }, 5000);

  it.each([
    ['a sender whose domain is not onboarded', { code: 'E_SENDER_NOT_VERIFIED' }, 'E_SENDER_NOT_VERIFIED'],
    ['a code that may be anything', { code: 'to somebody@example.com' }, 'other'],
    ['no code', {}, 'other'],
  ])('says in the log why a mail was not sent, and not to whom: %s', async (_, fields, detail) => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    const error = Object.assign(new Error(`cannot send from zone@example.com to ${email}`), fields);
    const EMAIL = { send: () => Promise.reject(error) } as unknown as NonNullable<Env['EMAIL']>;
    const settings = { ...env, EMAIL, EMAIL_FROM: 'zone@example.com' };
    expect((await settledAt(settings, LINK, askFor(email))).status).toBe(202);
    log.mockRestore();
    const lines = printed.map((line) => JSON.parse(line));
    expect(lines).toContainEqual({ level: 'error', event: 'mail-not-sent', detail });
    expect(printed.join('\n')).not.toContain('@');
  });

  it('answers a stranger in the same way, and sends no mail', async () => {
    const { answer, mails } = await ask(`${crypto.randomUUID()}@example.com`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ sent: true });
    expect(mails).toEqual([]);
  });

  it('says who asked in our own words, and repeats no text of the client', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
    const asked = async (userAgent: string, ip: string) => {
      const { mails } = await ask(email, {}, { 'user-agent': userAgent, 'cf-connecting-ip': ip });
      return `${mails[0]?.text} ${mails[0]?.html}`;
    };
    const text = await asked(firefox, '203.0.113.7');
    expect(text.split('Firefox on Windows, at the network address 203.0.113.7.')).toHaveLength(3);
    const stranger = await asked('<b>Call +1 900</b> now', '2001:db8::1');
    expect(stranger).toContain('with an unknown browser, at the network address 2001:db8::1.');
    expect(stranger).not.toContain('+1 900');
  });

  it('does the same for a stranger as for a member: the same calls in the same order, before the answer', async () => {
    const member = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [member]);
    const callsFor = async (email: string) => {
      const { env: counted, calls } = deploymentWith(null);
      // Whatever runs behind the answer would still be counted here.
      const send = { send: () => Promise.resolve() } as unknown as NonNullable<Env['EMAIL']>;
      const context = createExecutionContext();
      const settings = { ...counted, EMAIL: send, EMAIL_FROM: 'zone@example.com' };
      const answer = await worker.fetch(new Request(LINK, askFor(email)), settings, context);
      expect(answer.status).toBe(202);
      const before = [...calls];
      await waitOnExecutionContext(context);
      expect(calls).toEqual(before);
      const rows = await env.DB.prepare('SELECT count(*) AS n FROM sign_ins WHERE email = ?')
        .bind(email)
        .first('n');
      return { calls, rows, cookies: answer.headers.getSetCookie().length };
    };
    const [ofMember, ofStranger] = [
      await callsFor(member),
      await callsFor(`${crypto.randomUUID()}@example.com`),
    ];
    expect(ofStranger).toEqual(ofMember);
    expect(ofMember).toMatchObject({ calls: expect.arrayContaining(['D1.batch']), rows: 1 });
  });

  it.each<[string, object]>([
    ['a sender', { EMAIL_FROM: '' }],
    ['a binding', { EMAIL: undefined }],
  ])('is closed without %s', async (_, settings) => {
    expect((await ask('a@example.com', settings)).answer.status).toBe(404);
  });

  it('shows a product name as text', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const { mails } = await ask(email, { PRODUCT_NAME: 'A <b>& B' });
    expect(mails[0]?.html).toContain('A &lt;b>&amp; B');
  });
});
