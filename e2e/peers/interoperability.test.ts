// Clients and servers of other projects, before and behind the product. Each is a separate program with the
// real package (package.json), so this file needs none of their types. docs/interoperability.md lists them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild, startChild, type Child } from '../child.ts';
import { startDeployment, type Deployment } from '../deployment.ts';
import type { Settings } from '../isolates.ts';
import { startUpstream, type Upstream } from '../raw.ts';

const programs = join(import.meta.dirname, 'programs');
/** The settings that docs/upstream.md prints for each kind of API. */
const PRINTED = new Map(
  [
    ...readFileSync(resolve(import.meta.dirname, '../../docs/upstream.md'), 'utf8').matchAll(
      /^\| (uploads by tus|Connect and gRPC-Web|clients of \w+) +\| `([^`]+)` +\| `([^`]+)` +\|$/gm,
    ),
  ].map(([, api = '', request = '', answer = '']) => [
    api,
    { UPSTREAM_REQUEST_HEADERS: request, UPSTREAM_ANSWER_HEADERS: answer },
  ]),
);

let zone: Deployment | undefined;
let server: Child | undefined;
let upstream: Upstream | undefined;

afterAll(stop);

/** Each group has its own API, and its own deployment before it. */
async function stop(): Promise<void> {
  await zone?.stop();
  await server?.stop();
  await upstream?.stop();
  zone = server = upstream = undefined;
}

function printed(api: string): Settings {
  const settings = PRINTED.get(api);
  if (settings === undefined) throw new Error(`docs/upstream.md has no settings for ${api}`);
  return settings;
}

/** Starts a program as the API behind the product. */
async function serveBy(program: string, settings: Settings = {}, place = ''): Promise<string> {
  await stop();
  server = await startChild(process.execPath, [join(programs, program), 'serve', place], /listens on \d+/);
  const port = /listens on (\d+)/.exec(server.output())?.[1] ?? '';
  const origin = `http://127.0.0.1:${port}`;
  zone = await startDeployment({ UPSTREAM_URL: origin, ...settings });
  return origin;
}

/** Starts an API of a few lines behind the product. */
async function serve(
  settings: Settings,
  answer: (body: string, reply: ServerResponse, incoming: IncomingMessage) => void,
): Promise<Upstream> {
  await stop();
  upstream = await startUpstream(async (incoming, reply) => {
    const parts = await incoming.toArray();
    answer(Buffer.concat(parts).toString(), reply, incoming);
  });
  zone = await startDeployment({ UPSTREAM_URL: upstream.origin, ...settings });
  return upstream;
}

/** Runs a client with a good token and returns its output. */
async function ask(command: string, args: string[]): Promise<string> {
  if (zone === undefined) throw new Error('nothing is served');
  const { secret } = await zone.givenToken();
  const places = args.map((arg) => arg.replace('ORIGIN', zone?.origin ?? ''));
  const { code, output } = await runChild(command, places, { env: { ...process.env, TOKEN: secret } });
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`);
  return output;
}

const askNode = async (program: string, ...args: string[]): Promise<unknown> =>
  JSON.parse(await ask(process.execPath, [join(programs, program), ...args]));

describe('the Model Context Protocol', () => {
  beforeAll(() => serveBy('mcp.mjs'));

  it('runs a session with progress, messages of the server and an end, without any setting', async () => {
    expect(await askNode('mcp.mjs', 'call', 'ORIGIN')).toEqual({
      hasSession: true,
      progress: [1, 2, 3, 1],
      results: ['call 1 of this session', 'call 2 of this session'],
      tools: ['count'],
      logged: ['call 1', 'call 2'],
    });
  });
});

describe('tus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tus-'));
  let origin: string;
  beforeAll(async () => {
    origin = await serveBy('tus.mjs', printed('uploads by tus'), folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('stops an upload and resumes it, at the address that callers know', async () => {
    // As the program prints it.
    const { url, digest } = (await askNode('tus.mjs', 'send', 'ORIGIN')) as { url: string; digest: string };
    expect(new URL(url).origin).toBe(zone?.origin);
    const id = url.split('/').at(-1) ?? '';
    expect(await (await fetch(`${origin}/digest/${id}`)).text()).toBe(digest);
  });
});

describe('Connect', () => {
  beforeAll(() => serveBy('connect.mjs', printed('Connect and gRPC-Web')));

  it('calls, streams and is refused, with the header that its server requires', async () => {
    expect(await askNode('connect.mjs', 'call', 'ORIGIN')).toEqual({
      value: 'hello',
      trailer: '5',
      letters: ['a', 'b', 'c'],
      refused: 'PermissionDenied',
    });
  });
});

/** How often a word was sent. */
const count = (words: string[], word: string): number => words.filter((each) => each === word).length;

describe('the client of OpenAI', () => {
  const words: string[] = [];
  let api: Upstream;
  beforeAll(async () => {
    api = await serve(printed('clients of OpenAI'), (body, reply) => {
      const { messages } = JSON.parse(body) as { messages: [{ content: string }] };
      const word = messages[0].content;
      words.push(word);
      const json = { 'content-type': 'application/json' };
      if (word === 'stream') {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const content of ['a', 'b']) {
          reply.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
        }
        return reply.end('data: [DONE]\n\n');
      }
      if (word === 'fail') return reply.writeHead(500, { ...json, 'x-should-retry': 'false' }).end('{}');
      if (word === 'wait' && count(words, word) < 3) {
        return reply.writeHead(429, { ...json, 'retry-after-ms': '20' }).end('{}');
      }
      return reply.writeHead(200, json).end(JSON.stringify({ choices: [{ message: { content: word } }] }));
    });
  });

  it('streams, sends its organisation, does not repeat a call when told not to, and waits as told', async () => {
    expect(await askNode('openai.mjs', 'ORIGIN')).toEqual({
      answer: 'hello',
      streamed: 'ab',
      failed: 500,
      waited: 'wait',
    });
    expect(words).toEqual(['hello', 'stream', 'fail', 'wait', 'wait', 'wait']);
    expect(Object.fromEntries(api.seen[0]?.headers ?? [])).toMatchObject({
      'openai-organization': 'org-test',
      'x-stainless-lang': 'js',
    });
  });
});

describe('the client of Anthropic', () => {
  const words: string[] = [];
  let api: Upstream;
  beforeAll(async () => {
    api = await serve(printed('clients of Anthropic'), (body, reply, { headers }) => {
      const { messages } = JSON.parse(body) as { messages: [{ content: string }] };
      const word = messages[0].content;
      words.push(word);
      const json = { 'content-type': 'application/json' };
      if (headers['anthropic-version'] === undefined) return reply.writeHead(400, json).end('{}');
      if (word === 'fail') return reply.writeHead(500, { ...json, 'x-should-retry': 'false' }).end('{}');
      if (word === 'wait' && count(words, word) < 3) {
        return reply.writeHead(529, { ...json, 'retry-after-ms': '20' }).end('{}');
      }
      return reply.writeHead(200, json).end(JSON.stringify({ content: [{ type: 'text', text: word }] }));
    });
  });

  it('sends its version, does not repeat a call when told not to, and waits while the API is overloaded', async () => {
    expect(await askNode('anthropic.mjs', 'ORIGIN')).toEqual({
      answer: 'hello',
      failed: 500,
      waited: 'wait',
    });
    expect(words).toEqual(['hello', 'fail', 'wait', 'wait', 'wait']);
    expect(JSON.stringify(api.seen)).not.toContain('x-api-key');
  });
});

describe.runIf(isHere('java', '-version'))('Java', () => {
  beforeAll(() => serve({}, (body, reply, { method }) => reply.end(`${method} ${body}`)));

  it('calls by its own client, which offers h2c with every call', async () => {
    expect(await ask('java', [join(programs, 'JavaClient.java'), 'ORIGIN'])).toBe(
      'GET 200 GET \nPOST 200 POST hello\nHEAD 200 \n',
    );
  });
});

function isHere(name: string, question: string): boolean {
  if (spawnSync(name, [question]).error === undefined) return true;
  console.warn(`\n*** SKIPPED: ${name} is not on this machine ***\n`);
  return false;
}
