// The e-mail door of a deployment, through the local form of Cloudflare's send_email binding.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Env } from '../env.ts';
import worker from '../index.ts';
import { givenOrganisation } from '../test/harness.ts';

const DEPLOYED = 'https://zone.example';

type Mail = { from: string; to: string; subject: string; text: string; html: string };

/** A deployed host is asked for a link. */
const askFor = (email: string): Request =>
  new Request(`${DEPLOYED}/api/sign-in/link`, {
    method: 'POST',
    headers: {
      origin: DEPLOYED,
      'content-type': 'application/json',
      'cf-connecting-ip': crypto.randomUUID(),
    },
    body: JSON.stringify({ email }),
  });

/** Asks a deployed host for a link, and hands on what was mailed by the time that the answer was there, and after it. */
async function ask(email: string, settings: object = {}) {
  const { EMAIL: binding } = env as Env;
  if (binding === undefined) throw new Error('the tests have no send_email binding');
  const send = vi.spyOn(binding, 'send');
  const context = createExecutionContext();
  const answer = await worker.fetch(
    askFor(email),
    { ...env, EMAIL: binding, EMAIL_FROM: 'zone@example.com', ...settings },
    context,
  );
  await waitOnExecutionContext(context);
  // The object form of the message is the only one that the product sends.
  const mails = send.mock.calls.map(([message]) => message as unknown as Mail);
  const outcomes = await Promise.allSettled(send.mock.results.map(({ value }) => value));
  send.mockRestore();
  return { answer, mails, failed: outcomes.filter(({ status }) => status === 'rejected') };
}

describe('the e-mail door', () => {
  it('mails the link to a member, and keeps it out of the answer', async () => {
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
    const redeemed = await worker.fetch(
      new Request(`${DEPLOYED}/api/sign-in/redeem`, {
        method: 'POST',
        headers: {
          origin: DEPLOYED,
          'content-type': 'application/json',
          cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
        },
        body: JSON.stringify({ code }),
      }),
      env,
      createExecutionContext(),
    );
    expect(redeemed.status).toBe(204);
  });

  it('is answered before the mail is on its way, so that time tells no member from a stranger', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await givenOrganisation('enterprise', [email]);
    const never = { send: () => new Promise(() => {}) } as unknown as NonNullable<Env['EMAIL']>;
    const answer = await worker.fetch(
      askFor(email),
      { ...env, EMAIL: never, EMAIL_FROM: 'zone@example.com' },
      createExecutionContext(),
    );
    expect(answer.status).toBe(202);
  }, 5000);

  it('answers a stranger alike and mails nothing', async () => {
    const { answer, mails } = await ask(`${crypto.randomUUID()}@example.com`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ sent: true });
    expect(mails).toEqual([]);
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
