// /report: anybody who finds leaked tokens reports them here, by a program or by the form on /docs/report, and GitHub does
// (github.ts). No sign-in is needed, because a person who knows a secret can only harm its holder.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import { isOurOwnWish } from '../admin/same-site.ts';
import { readBody } from '../http/body.ts';
import { readBytes } from '../http/body-bytes.ts';
import type { CallEnv } from '../http/call.ts';
import { limit, limitClient } from '../http/limit.ts';
import { Problem } from '../http/problem.ts';
import { finishRoutes } from '../http/route-group.ts';
import { sha256Hex } from '../random.ts';
import { REPORTED, REPORT_KIB } from './bounds.ts';
import { answerGithub } from './github.ts';
import { endLeaks, genuineIn } from './leak.ts';
import { ReportBody, URL_FORM } from './schemas.ts';
import { seenAt } from './seen.ts';

type Report = { tokens: string[]; url?: string | undefined };

export const reports = finishRoutes(
  new Hono<CallEnv>()
    // The same answer whatever the tokens are.
    .post('/report', async (c) => {
      const { call } = c.env;
      await limitClient(call, call.deployment.limiters.failedLoginsPerClient, 'report:');
      // The browser of a visitor of another website reports nothing.
      if (!isOurOwnWish(call.request)) throw new Problem('cross-site-request');
      const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type === 'application/x-www-form-urlencoded') {
        await take(c, await readForm(call.request));
        return c.redirect('/docs/reported', 303);
      }
      if (type !== 'application/json')
        throw new Problem('invalid-body', 'Header "Content-Type": send application/json');
      const report = await readBody(call.request, ReportBody, REPORT_KIB);
      await take(c, report);
      return c.json({ received: report.tokens.length }, 202, { 'cache-control': 'no-store' });
    })
    .post('/report/github', ({ env: { call } }) => answerGithub(call)),
);

/** The fields of the form: a token on each line, and an address that may be empty. A person reads the refusals. */
async function readForm(request: Request): Promise<Report> {
  const form = new URLSearchParams(new TextDecoder().decode(await readBytes(request, REPORT_KIB)));
  const tokens = (form.get('tokens') ?? '').split(/[\r\n]+/).filter((line) => line.trim() !== '');
  if (tokens.length < 1 || tokens.length > REPORTED)
    throw new Problem('invalid-body', `Enter 1 to ${REPORTED} tokens, one on each line`);
  const url = form.get('url')?.trim() ?? '';
  if (url === '') return { tokens };
  if (seenAt(url) === null) throw new Problem('invalid-body', `The place where you saw them is ${URL_FORM}`);
  return { tokens, url };
}

/** Ends what is genuine. A token that is reported too often is left out, and then the others are ended all the same. */
async function take({ env: { call } }: Context<CallEnv>, { tokens, url }: Report): Promise<void> {
  const where = url === undefined ? null : seenAt(url);
  const { failedLoginsPerClient } = call.deployment.limiters;
  const allowed = [];
  let refusal: unknown;
  for (const exposure of genuineIn(
    call,
    tokens.map((text) => ({ text, where })),
  )) {
    try {
      // The hash of a token is its key in KV, and must be in no other store. Secrets in URLs have a separate count
      // (api/exposure.ts). Otherwise an integration that sends its token in URLs would prevent reports of that token.
      await limit(failedLoginsPerClient, `reported:${sha256Hex(exposure.hash)}`);
      allowed.push(exposure);
    } catch (error) {
      refusal = error;
    }
  }
  await endLeaks(call, allowed, 'report');
  if (refusal !== undefined) throw refusal;
}
