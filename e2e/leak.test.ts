// The journey of a leak in a real browser. Everything is the Worker's own answer: the report, the pause, the mails, and the new
// value.
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard.ts';
import { startSeeded } from './deployment.ts';
import { statusOf } from './ping.ts';

/** Keeps the mails that the Worker sends, and answers them. */
const MAILBOX = `import { WorkerEntrypoint } from 'cloudflare:workers';
const mails = [];
export class Mailbox extends WorkerEntrypoint {
  send(mail) { mails.push(mail); }
}
export default { fetch: () => Response.json(mails) };`;

type Mail = { to: string; subject: string; text: string; html: string };
let readMails: () => Promise<Mail[]>;

async function start() {
  const zone = await startSeeded(
    {
      EMAIL: { type: 'worker', worker: 'mailbox', exportName: 'Mailbox' },
      EMAIL_FROM: 'zone@example.com',
      ORIGINS: 'https://zone.example',
    },
    [
      {
        config: {
          name: 'mailbox',
          compatibilityDate: '2026-01-01',
          manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: MAILBOX } } },
        },
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
      },
    ],
  );
  const mailbox = await zone.miniflare.unsafeGetDirectURL('mailbox');
  readMails = async () => (await (await fetch(mailbox)).json()) as Mail[];
  return zone;
}

const { open, here } = useDashboard(start);
/** Mails are sent after an answer. */
const WAIT = { timeout: 30_000, interval: 500 };

describe('a leak', () => {
  it(
    'ends itself: it is reported and paused, every member is told, it is replaced, and the old value still knocks',
    { timeout: 240_000 },
    async () => {
      const where = 'https://pastebin.example/raw/9a7Lk2';
      // All answers are the Worker's own.
      const page = await open({ boot: {}, before: (opened) => opened.unrouteAll() });
      const secret = await page.evaluate(async () => {
        const made = await fetch('/api/organisations/acme/tokens', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: 'Website' }),
        });
        return ((await made.json()) as { secret: string }).secret;
      });
      expect(await statusOf(here(), secret)).toBe(200);
      const report = await fetch(`${here()}/report`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tokens: [secret], url: where }),
      });
      expect([report.status, await report.json()]).toEqual([202, { received: 1 }]);
      await expect.poll(() => statusOf(here(), secret), WAIT).toBe(401);
      await expect
        .poll(
          async () =>
            (await readMails())
              .filter(({ subject }) => /exposed/.test(subject))
              .map(({ to }) => to)
              .toSorted(),
          WAIT,
        )
        .toEqual(['member@example.com', 'owner@example.com']);
      expect(JSON.stringify(await readMails())).not.toContain(secret);

      await page.reload();
      await page.getByRole('button', { name: 'Replace it…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
      const value = await dialog.getByLabel('API token', { exact: true }).inputValue();
      await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
      await dialog.getByRole('button', { name: 'Done' }).click();
      await page.getByText(/Old value refused since/).waitFor();
      expect(await page.locator('.strip').count()).toBe(0);
      expect([await statusOf(here(), secret), await statusOf(here(), value)]).toEqual([401, 200]);

      await page.goto(`${here()}/activity?organisation=acme`);
      await page.getByText(`as found in public at ${where}`).waitFor();

      // Somebody still has the old value. Hubs write what was counted once a minute.
      const still = page.getByRole('region', { name: 'Still calling' });
      const knock = async () => {
        const status = await statusOf(here(), secret);
        await page.reload();
        await page.getByText(`as found in public at ${where}`).waitFor();
        return [status, await still.count()];
      };
      await expect.poll(knock, { timeout: 150_000, interval: 3000 }).toEqual([401, 1]);
      expect(await still.innerText()).toContain(`${secret.slice(0, 5)}***`);
      expect(await statusOf(here(), value)).toBe(200);
    },
  );
});
