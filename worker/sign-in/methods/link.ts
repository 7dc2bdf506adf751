// Sign-in by a one-time link in a mail. The code is redeemed in the browser that asked for it (link-code.ts).
import { Hono } from 'hono/tiny';
import { maxLength, pipe, strictObject, string } from 'valibot';
import { circumstancesOf } from '../../activity/cause.ts';
import { DAILY_LIMITS, LINKS_OF_A_NETWORK } from '../../daily-limit.ts';
import { readBody } from '../../http/body.ts';
import type { Call } from '../../http/call.ts';
import { limit, limitClient } from '../../http/limit.ts';
import { limitDaily } from '../../http/limit-daily.ts';
import { logFailure } from '../../http/log.ts';
import { Problem } from '../../http/problem.ts';
import { mailCodeOf } from '../../mail.ts';
import { isMarked, markedValue } from '../../marked.ts';
import { normaliseEmail } from '../../organisation/email.ts';
import { isRandomValue, randomValue, sha256Hex } from '../../random.ts';
import { withReserve } from '../../reserve.ts';
import { askerOf } from '../asker.ts';
import { cookiesOf, giveCookie } from '../cookie.ts';
import { countSignIn } from '../count-sign-in.ts';
import { KNOWN_COOKIE, isKnownBrowser, knownCookie } from '../known-browser.ts';
import {
  BROWSER_COOKIE,
  SIGN_IN_MS,
  browserCookie,
  createLinkCode,
  knownClient,
  readLinkCode,
  redeemLinkCode,
} from '../link-code.ts';
import { openMailer } from '../mailer.ts';
import type { Method } from '../method.ts';
import { SESSION_COOKIE } from '../session.ts';
import type { AdminEnv } from '../session.ts';

const LinkBody = strictObject({ email: string('not a string') });
const RedeemBody = strictObject({
  code: pipe(string('not a string'), maxLength(128, 'longer than 128 characters')),
});

/** `link` is there in local mode only, which sends no mail. */
type Sent = { sent: true; link?: string };

const NETWORK_DETAIL = `Your network (IPv6 /48) has asked for ${LINKS_OF_A_NETWORK} sign-in links today (UTC)`;

const routes = new Hono<AdminEnv>()
  .post('/sign-in/link', async (c) => {
    const { call } = c.env;
    const { caller, deployment } = call;
    const { limiters } = deployment;
    const mailer = openMailer(call);
    if (mailer === null) throw new Problem('not-found');
    const body = await readBody(c.req.raw, LinkBody);
    const email = normaliseEmail(body.email);
    if (email === null) throw new Problem('invalid-body', 'Field "email": not an e-mail address');
    const { tagKeys: ring } = deployment.settings;
    const { [BROWSER_COOKIE]: sent = '', [KNOWN_COOKIE]: known } = cookiesOf(c);
    // The answer sets the cookie again, and a cookie that was sent is decoded: it may hold a line break or an attribute.
    const browser = isRandomValue(sent) ? sent : randomValue();
    // A browser that has signed in as this member is limited by itself, whatever others ask for, at its own network as well.
    const isKnown = isKnownBrowser(ring, known, email);
    const client = isKnown ? knownClient(email) : caller.key;
    const network = isKnown ? null : caller.network;
    if (isKnown) await limit(limiters.linksPerClient, client);
    else await limitClient(call, limiters.linksPerClient);
    // For one e-mail address, all of a /48 are one client.
    const asker = network ?? client;
    // No limit of the minute for an address from all clients together: two of them would keep every other one out.
    await limit(limiters.linksPerAddressAndClient, `${email} ${asker}`);
    const code = markedValue(ring, 'link');
    const db = await deployment.openDatabase();
    const now = Date.now();
    const detail = `${isKnown ? 'This address' : 'Your network address'} has asked for ${DAILY_LIMITS.link} sign-in links today (UTC)`;
    await limitDaily(db, { kind: 'link', subject: client, now }, detail);
    if (network !== null) {
      const count = { kind: 'link', subject: network, now, most: LINKS_OF_A_NETWORK } as const;
      await limitDaily(db, count, NETWORK_DETAIL);
    }
    const created = await createLinkCode(db, { email, code, browser, client: asker }, now);
    if (!created.ok) {
      throw new Problem(
        'too-many-requests',
        'Some links are on their way to this address. Look for them, also among spam, or ask again in ten minutes',
        { 'retry-after': String(SIGN_IN_MS / 1000) },
      );
    }
    const link = `${call.origin}/sign-in#code=${code}`;
    giveCookie(c, browserCookie(browser));
    if (mailer.kind === 'local') {
      // The one place that prints a link: local mode has no mail, and its host is this machine.
      // eslint-disable-next-line no-console
      console.log(`Sign-in link for ${email}: ${link}`);
      return c.json<Sent, 202>({ sent: true, link }, 202);
    }
    // After the answer, so that its time does not tell a member from a stranger.
    if (created.known) {
      // The runtime would print the error of the EMAIL binding, which may hold the address.
      call.waitUntil(
        mailer
          .send(email, link, askerOf(caller))
          .catch((error: unknown) => logFailure('mail-not-sent', mailCodeOf(error))),
      );
    }
    return c.json<Sent, 202>({ sent: true }, 202);
  })
  .post('/sign-in/redeem', async (c) => {
    const { code } = await readBody(c.req.raw, RedeemBody);
    const { call } = c.env;
    const { settings, limiters } = call.deployment;
    const { tagKeys: ring } = settings;
    if (!isMarked(ring, 'link', code)) {
      await limitClient(call, limiters.failedLoginsPerClient);
      throw new Problem('sign-in-link-invalid');
    }
    // Only its holder tries a code that was made here. It is counted by itself, so that no other person is locked out.
    await limit(limiters.failedLoginsPerClient, `code:${sha256Hex(code)}`);
    const { [BROWSER_COOKIE]: browser, [KNOWN_COOKIE]: known, [SESSION_COOKIE]: session } = cookiesOf(c);
    if (browser === undefined) throw new Problem('sign-in-link-invalid');
    const db = await call.deployment.openDatabase();
    const now = Date.now();
    const asked = await readLinkCode(db, code, browser, now);
    if (asked === null || asked.email === null) throw new Problem('sign-in-link-invalid');
    await countSignIn(db, asked.email, now);
    const cookie = await redeemLinkCode(
      // A full database must let members in: they come to switch off and to delete.
      withReserve(db),
      code,
      {
        code: browser,
        session,
        newSession: markedValue(ring, 'session'),
        isKnown: isKnownBrowser(ring, known, asked.email),
      },
      circumstancesOf(call),
      now,
    );
    if (cookie === null) throw new Problem('sign-in-link-invalid');
    giveCookie(c, cookie);
    giveCookie(c, knownCookie(ring, known, asked.email));
    return c.body(null, 204);
  });

export const link = {
  offer: (call: Call): boolean => openMailer(call) !== null,
  none: false,
  routes,
} satisfies Method;
