// The runs that warn of tokens that end soon, through the local form of Cloudflare's send_email binding.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { FAULTS, deploymentWith } from '../test/faults.ts';
import { givenOrganisation, givenToken } from '../test/harness.ts';
import { recordMails } from '../test/mails.ts';
import type { Mail } from '../test/mails.ts';
import { TEN_MINUTES_CRON } from './run.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Every end is this far away when it is set. */
const END = Date.now() + 60 * DAY;
const SENDER = 'zone@example.com';

let printed: string[] = [];
beforeEach(async () => {
  // What is of other tests is not to be warned of.
  await env.DB.batch([
    env.DB.prepare('UPDATE tokens SET expires_at = NULL WHERE expires_at IS NOT NULL'),
    env.DB.prepare('DELETE FROM notices'),
  ]);
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => vi.restoreAllMocks());

const lines = () => printed.map((line) => JSON.parse(line) as Record<string, unknown>);

/** An organisation with so many members, and a token of it that ends in 60 days. */
async function given(members = 1, name: string | null = null) {
  const emails = Array.from({ length: members }, () => `${crypto.randomUUID()}@example.com`);
  const organisation = await givenOrganisation('enterprise', emails);
  const token = await givenEndingToken(organisation, name);
  const events = async () => {
    const { results } = await env.DB.prepare(
      "SELECT detail FROM events WHERE organisation_id = ? AND action = 'token.expiring' ORDER BY id",
    )
      .bind(organisation)
      .all<{ detail: string }>();
    return results.map(({ detail }) => detail);
  };
  const waiting = () =>
    env.DB.prepare('SELECT count(*) AS n FROM mails WHERE organisation_id = ?')
      .bind(organisation)
      .first<number>('n');
  return { organisation, emails: emails.toSorted(), token, events, waiting };
}

async function givenEndingToken(organisation: string, name: string | null, end = END) {
  const token = await givenToken(organisation);
  await env.DB.prepare('UPDATE tokens SET expires_at = ?, name = ? WHERE id = ?')
    .bind(new Date(end).toISOString(), name, token.id)
    .run();
  return token;
}

/** A mailer that notes what it is given, and does what `send` says with it. */
function mailerOf(send: (mail: Mail) => Promise<unknown> = () => Promise.resolve()) {
  const { EMAIL, mails } = recordMails(send);
  return { mails, to: () => mails.map(({ to }) => to).toSorted(), env: { EMAIL, EMAIL_FROM: SENDER } };
}

function run(at: number, settings: Partial<Env>, cron = TEN_MINUTES_CRON): Promise<void> {
  return Promise.resolve(
    worker.scheduled(
      createScheduledController({ scheduledTime: at, cron }),
      { ...(env as Env), ...settings },
      createExecutionContext(),
    ),
  );
}

const failsWith = (code: string) => () =>
  Promise.reject(Object.assign(new Error('to a@b.example'), { code }));

describe('a warning before the end of a token', () => {
  it('is an event and one mail to every member, with the name, the mask and the end, and without a secret', async () => {
    const { EMAIL, mails, outcomes } = recordMails();
    const { organisation, emails, token, events, waiting } = await given(2, 'Zapier <b>');
    await run(END - 7 * DAY + 3 * MINUTE, { EMAIL, EMAIL_FROM: SENDER });
    await Promise.all(outcomes);
    expect(mails.map(({ to }) => to).toSorted()).toEqual(emails);
    const [mail] = mails;
    expect(mail).toMatchObject({ from: SENDER, subject: '9Pic: an API token expires in 7 days' });
    const preview = token.secret.slice(0, 5);
    const end = new Date(END).toISOString();
    expect(mail?.text).toContain(`Zapier <b> (${preview}***): in 7 days, on `);
    expect(mail?.html).toContain(`Zapier &lt;b> (${preview}***): in 7 days, on `);
    for (const body of [mail?.text, mail?.html]) {
      expect(body).toContain(` at ${end.slice(11, 19)} UTC`);
      expect(body).toContain(`https://zone.example/developer-zone?organisation=${organisation}`);
      expect(body).not.toContain(token.secret.slice(5));
      expect(body).not.toContain('#code=');
    }
    expect(await events()).toEqual(['7']);
    expect(await waiting()).toBe(0);
    expect(printed.join('\n')).not.toContain('@');
  });

  it('is one mail about all tokens of the organisation that a run warns of', async () => {
    const { organisation, emails, events } = await given(1, 'Website');
    await givenEndingToken(organisation, 'Zapier', END - 23 * DAY);
    const mailer = mailerOf();
    await run(END - 30 * DAY, mailer.env);
    expect(mailer.to()).toEqual(emails);
    expect(mailer.mails[0]?.subject).toBe('9Pic: 2 API tokens expire soon');
    expect(mailer.mails[0]?.text).toMatch(/- Zapier \(.*in 7 days[^]*- Website \(.*in 30 days/);
    expect((await events()).toSorted()).toEqual(['30', '7']);
  });

  it('comes once from a lost run, from a late one, and from two at once', async () => {
    const { emails, events } = await given(2);
    const mailer = mailerOf();
    // A day late. Nothing ran in the month before.
    const late = END - 6 * DAY;
    await Promise.all([run(late, mailer.env), run(late, mailer.env)]);
    await run(late, mailer.env);
    await run(late + 10 * MINUTE, mailer.env);
    expect(await events()).toEqual(['7']);
    expect(mailer.to()).toEqual(emails);
  });

  it('is sent once to each member when a run takes over from one that hangs', async () => {
    const { emails, waiting } = await given(3);
    const hung = mailerOf(() => new Promise(() => {}));
    const now = END - 30 * DAY;
    void run(now, hung.env);
    await expect.poll(() => hung.mails.length).toBe(1);
    const mailer = mailerOf();
    await run(now, mailer.env);
    expect([...hung.to(), ...mailer.to()].toSorted()).toEqual(emails);
    // The mail that hangs is lost if the Worker dies now.
    await run(now + HOUR, mailer.env);
    expect(mailer.mails).toHaveLength(2);
    expect(await waiting()).toBe(1);
    await run(now + 2 * DAY, {}, '17 * * * *');
    expect(await waiting()).toBe(0);
  });

  it.each(FAULTS)(
    'is given once, and mailed at most once, whichever call to storage is %s; the next run completes it',
    async (kind) => {
      const now = END - 30 * DAY;
      const clean = deploymentWith(null);
      const model = await given();
      await run(now, { ...clean.env, ...mailerOf().env });
      expect(await model.events()).toEqual(['30']);
      // Two for the run to begin with, then those of the warnings and of the mail.
      expect(clean.calls.length).toBeGreaterThan(8);
      const sent: string[] = [];
      for (const at of clean.calls.keys()) {
        const { emails, events, waiting } = await given();
        const mailer = mailerOf();
        const { env: faulty } = deploymentWith({ at, kind });
        await run(now, { ...faulty, ...mailer.env }).catch(() => {});
        await run(now + 10 * MINUTE, mailer.env);
        expect(await events(), `call ${at}`).toEqual(['30']);
        sent.push(mailer.to().join());
        expect([emails.join(), '']).toContain(sent.at(-1));
        expect(await waiting()).toBeLessThanOrEqual(1);
      }
      // Where it was taken and the answer was lost, it is lost too: otherwise it could be sent twice.
      expect(sent.filter((to) => to === '')).toHaveLength(kind === 'unanswered' ? 1 : 0);
    },
  );

  it('does not wait for other work of the run that fails', async () => {
    const { events } = await given();
    // The second call to storage: the first one asks whose the database is.
    const { env: faulty } = deploymentWith({ at: 1, kind: 'lost' });
    await expect(run(END - 30 * DAY, { ...faulty, ...mailerOf().env })).rejects.toThrow('Failed query');
    expect(await events()).toEqual(['30']);
    expect(lines()).toEqual([{ level: 'error', event: 'retirement-failed', detail: 'connection-lost' }]);
  });

  it('has no mail if none can be sent, or if the address of the dashboard is unknown', async () => {
    const { events, waiting } = await given();
    await run(END - 30 * DAY, { EMAIL_FROM: '' });
    const mailer = mailerOf();
    await run(END - 7 * DAY, { ...mailer.env, ORIGINS: '' });
    expect(await events()).toEqual(['30', '7']);
    expect(await waiting()).toBe(0);
    expect(mailer.mails).toEqual([]);
  });
});

describe('a mail about the end of a token that is not sent', () => {
  it('is logged, does not stop the others, and is tried again by later runs', async () => {
    const { emails, waiting } = await given(3);
    const [unlucky] = emails;
    const failing = mailerOf(({ to }) =>
      to === unlucky ? failsWith('E_DELIVERY_FAILED')() : Promise.resolve(),
    );
    const now = END - 30 * DAY;
    await run(now, failing.env);
    expect(failing.to()).toEqual(emails);
    expect(await waiting()).toBe(1);
    expect(lines()).toEqual([{ level: 'error', event: 'mail-not-sent', detail: 'E_DELIVERY_FAILED' }]);
    expect(printed.join('\n')).not.toContain('@');
    const mailer = mailerOf();
    await run(now + 10 * MINUTE, mailer.env);
    await run(now + 20 * MINUTE, mailer.env);
    expect(mailer.to()).toEqual([unlucky]);
  });

  it('is tried for a day, less and less often, and then not again', async () => {
    const { waiting } = await given();
    const mailer = mailerOf(failsWith('E_RECIPIENT_SUPPRESSED'));
    const now = END - 30 * DAY;
    const tried: number[] = [];
    // In minutes.
    for (const after of [0, 10, 20, 30, 60, 70, 140, 150, 300, 310, 620, 630, 1260, 1270, 1440, 2550]) {
      const before = mailer.mails.length;
      await run(now + after * MINUTE, mailer.env);
      if (mailer.mails.length > before) tried.push(after);
    }
    expect(tried).toEqual([0, 10, 30, 70, 150, 310, 630, 1270]);
    expect(await waiting()).toBe(0);
  });

  it('ends the run if the quota is used up, which sign-in links need too', async () => {
    const { emails } = await given(3);
    const mailer = mailerOf(failsWith('E_DAILY_LIMIT_EXCEEDED'));
    const now = END - 30 * DAY;
    await run(now, mailer.env);
    expect(mailer.mails).toHaveLength(1);
    const later = mailerOf();
    await run(now + 10 * MINUTE, later.env);
    expect(later.to()).toEqual(emails);
  });

  it('waits for the next run if this run has sent a hundred', async () => {
    const { emails } = await given(103);
    const mailer = mailerOf();
    const now = END - 30 * DAY;
    await run(now, mailer.env);
    expect(mailer.mails).toHaveLength(100);
    await run(now + 10 * MINUTE, mailer.env);
    expect(mailer.to()).toEqual(emails);
  });

  it('is not sent after a day in which no run came', async () => {
    const { waiting } = await given();
    const now = END - 30 * DAY;
    const quota = mailerOf(failsWith('E_RATE_LIMIT_EXCEEDED'));
    await run(now, quota.env);
    const mailer = mailerOf();
    await run(now + DAY + 1, mailer.env);
    expect(mailer.mails).toEqual([]);
    expect(await waiting()).toBe(0);
  });
});
