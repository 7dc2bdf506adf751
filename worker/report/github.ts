// POST /report/github: the reports of GitHub's secret scanning, signed with one of GitHub's keys over the bytes of the body
// (https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program).
import { safeParse } from 'valibot';
import { jsonIn } from '../http/body.ts';
import { readBytes } from '../http/body-bytes.ts';
import type { Call } from '../http/call.ts';
import { limitClient } from '../http/limit.ts';
import { Problem } from '../http/problem.ts';
import { sha256Hex } from '../random.ts';
import { findGithubKey } from './github-keys.ts';
import { endLeaks, genuineIn } from './leak.ts';
import { Matches } from './schemas.ts';
import { seenAt } from './seen.ts';
import { isSignedBy } from './signature.ts';

/** GitHub sends many matches at once. */
const GITHUB_KIB = 1024;
const IDENTIFIER = /^[\w.-]{1,128}$/;
/** For each match of the report, whether a token of ours is in it. The hash is that of the text that GitHub sent. */
export type Label = { token_hash: string; token_type: string; label: 'true_positive' | 'false_positive' };

/** Throws `not-found` where the deployment accepts no report of GitHub. Throws every other refusal as a problem too. */
export async function answerGithub(call: Call): Promise<Response> {
  const { githubKeysUrl } = call.deployment.settings;
  if (githubKeysUrl === null) throw new Problem('not-found');
  const matches = readMatches(await readSigned(call, githubKeysUrl));
  const seen = matches.map(({ token, url }) => ({ text: token, where: seenAt(url) }));
  await endLeaks(call, genuineIn(call, seen), 'github');
  const labels = matches.map(({ token, type }): Label => ({
    token_hash: sha256Hex(token),
    token_type: type,
    label: genuineIn(call, [{ text: token, where: null }]).length > 0 ? 'true_positive' : 'false_positive',
  }));
  return Response.json(labels, { headers: { 'cache-control': 'no-store' } });
}

/** The bytes of the body, if GitHub signed them. Only failures are counted, so that no stranger can keep GitHub from reporting. */
async function readSigned(call: Call, keysUrl: string): Promise<Uint8Array> {
  const { request } = call;
  const identifier = request.headers.get('github-public-key-identifier') ?? '';
  const signature = request.headers.get('github-public-key-signature') ?? '';
  if (!IDENTIFIER.test(identifier) || signature === '') throw await refused(call);
  const key = await findGithubKey(call, keysUrl, identifier, () => countFailure(call));
  if (!key.ok) {
    if (key.reason === 'unknown') throw await refused(call);
    throw new Problem('verification-unavailable', 'The keys of GitHub cannot be read now', {
      'retry-after': '60',
    });
  }
  const bytes = await readBytes(request, GITHUB_KIB);
  if (!(await isSignedBy(key.key, signature, bytes))) throw await refused(call);
  return bytes;
}

async function refused(call: Call): Promise<Problem> {
  await countFailure(call);
  return new Problem('signature-invalid', 'The body is not signed with a key of GitHub');
}

function countFailure(call: Call): Promise<void> {
  return limitClient(call, call.deployment.limiters.failedLoginsPerClient, 'github:');
}

function readMatches(bytes: Uint8Array) {
  const parsed = safeParse(Matches, jsonIn(bytes).value);
  if (!parsed.success) throw new Problem('invalid-body', 'The body is not a list of matches');
  return parsed.output;
}
