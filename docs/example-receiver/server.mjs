// A receiver of the webhook in thirty lines: it verifies each message, and takes each event once.
// WEBHOOK_SECRET is the one of the deployment, "whsec_" and its key in base64.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const { PORT = '9100', WEBHOOK_SECRET = '' } = process.env;
const MOST_CHARACTERS = 65_536;
const webhook = new Webhook(WEBHOOK_SECRET);
/** In place of a table with a unique key, which is written in one transaction with what the event causes. */
const taken = new Set();

createServer(async (request, answer) => {
  let body = '';
  for await (const text of request.setEncoding('utf8')) {
    body += text;
    if (body.length > MOST_CHARACTERS) return answer.writeHead(413).end();
  }
  answer.writeHead(take(body, request.headers) ? 204 : 401).end();
}).listen(Number(PORT), '127.0.0.1', function () {
  // oxlint-disable-next-line no-console -- a program to look at
  console.log(`The example receiver listens on http://127.0.0.1:${this.address().port}`);
});

/** Whether the message is from the deployment. `body` as it was sent: JSON that is written anew has another signature. */
function take(body, headers) {
  let message;
  try {
    message = webhook.verify(body, headers);
  } catch {
    return false;
  }
  const id = headers['webhook-id'];
  // A message may come again, also hours later: then it was taken, and is acknowledged again.
  if (!taken.has(id)) {
    taken.add(id);
    // oxlint-disable-next-line no-console -- a program to look at
    console.log(JSON.stringify({ id, type: message.type, organisation: message.data.organisationId }));
  }
  return true;
}
