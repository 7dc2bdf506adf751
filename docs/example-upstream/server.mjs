// An API behind the Developer Zone in a dozen lines: says who is calling, by the headers that the edge has set.
// UPSTREAM_SECRET, when given, is what the edge must show: without it this port trusts every caller.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const { PORT = '9000', UPSTREAM_SECRET } = process.env;

createServer((request, answer) => {
  const { headers, method, url } = request;
  const isEdge = UPSTREAM_SECRET === undefined || isSame(headers['x-edge-secret'] ?? '', UPSTREAM_SECRET);
  const body = isEdge
    ? {
        method,
        url,
        organisation: headers['x-organisation-id'],
        plan: headers['x-organisation-plan'],
        token: headers['x-token-id'],
        request: headers['x-request-id'],
      }
    : { title: 'Only the edge may call here' };
  answer.writeHead(isEdge ? 200 : 403, { 'content-type': 'application/json' });
  answer.end(`${JSON.stringify(body)}\n`);
}).listen(Number(PORT), '127.0.0.1', function () {
  // oxlint-disable-next-line no-console -- a program to look at
  console.log(`The example upstream listens on http://127.0.0.1:${this.address().port}`);
});

/** By digests of one length, so that the time tells nothing of the secret. */
function isSame(given, secret) {
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
