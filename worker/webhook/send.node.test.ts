// One message to a real HTTP server, and what becomes of it.
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OperatorEvent } from '../activity/store.ts';
import { messageOf, signerOf } from './message.ts';
import { send } from './send.ts';

const EVENT: OperatorEvent = {
  id: '4711',
  at: '2026-11-23T18:00:00.000Z',
  actor: 'owner@example.com',
  action: 'token.deleted',
  tokenId: '3f1c9a52-8a8e-4d1c-9d55-6d1b4a2f0c11',
  preview: '9pW4k',
  requestId: '9f0c2d5e7a1b4c3d',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0',
  detail: 'Zürich → “Kiosk”',
  organisationId: 'acme',
};
const [OLD, NEXT] = ['the old key, 24 bytes long', 'the next key, 26 bytes long'];
const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const secret = (text: string) => `whsec_${btoa(text)}`;

let server: Server;
let origin: string;
let calls: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string }[];
let answer: (response: ServerResponse) => void;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    calls.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(response);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  // A server that listens on TCP has a port.
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  calls = [];
});

const sendTo = async (path: string, keys = [bytes(OLD)]) =>
  send(origin + path, await signerOf(keys), messageOf(EVENT));

describe('a message', () => {
  it('is accepted by the verifier of Standard Webhooks, with the old key and with the next one', async () => {
    answer = (response) => response.writeHead(204).end();
    expect(await sendTo('/hook?key=of-the-receiver', [bytes(OLD), bytes(NEXT)])).toEqual({ ok: true });
    const [call] = calls;
    expect(call).toMatchObject({ method: 'POST', url: '/hook?key=of-the-receiver' });
    const { headers, body = '' } = call ?? {};
    expect(headers).toMatchObject({ 'content-type': 'application/json' });
    for (const text of [OLD, NEXT]) {
      const verified = new Webhook(secret(text)).verify(body, headers as Record<string, string>);
      expect(verified).toEqual({ type: 'token.deleted', timestamp: EVENT.at, data: EVENT });
    }
    const another = new Webhook(secret('a key that is none of the two'));
    expect(() => another.verify(body, headers as Record<string, string>)).toThrow('No matching signature');
    expect(() => new Webhook(secret(OLD)).verify(`${body} `, headers as Record<string, string>)).toThrow(
      'No matching signature',
    );
  });

  it('has one id for an event, whatever its number is, and another one for another event', () => {
    const { id } = messageOf(EVENT);
    expect(id).toMatch(/^evt_[\da-f]{32}$/);
    // Written out, because a release must not change the ids of what waits.
    expect(id).toBe('evt_e81eb64e063a10acae8f635261fde372');
    // After a restore the event is put on record again, with another number.
    expect(messageOf({ ...EVENT, id: '4712' }).id).toBe(id);
    for (const other of [
      { at: '2026-11-23T18:00:00.001Z' },
      { requestId: 'another' },
      { action: 'token.activated' as const },
      { organisationId: null },
      { tokenId: null },
      { preview: '9pW4l' },
      { detail: null },
    ])
      expect(messageOf({ ...EVENT, ...other }).id).not.toBe(id);
  });

  it('is signed anew at every try, because receivers refuse an old timestamp', async () => {
    const message = messageOf(EVENT);
    const sign = await signerOf([bytes(OLD)]);
    const hourAgo = await sign(message, Date.now() - 3_600_000);
    expect(() => new Webhook(secret(OLD)).verify(message.body, hourAgo)).toThrow('too old');
    answer = (response) => response.writeHead(204).end();
    await sendTo('/');
    expect(Math.abs(Number(calls[0]?.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  });
});

describe('a receiver', () => {
  it.each([
    [200, { ok: true }],
    [299, { ok: true }],
    [301, { ok: false, reason: 'answered 301', kind: 'later' }],
    [307, { ok: false, reason: 'answered 307', kind: 'later' }],
    [400, { ok: false, reason: 'answered 400', kind: 'later' }],
    [410, { ok: false, reason: 'answered 410', kind: 'gone' }],
    [429, { ok: false, reason: 'answered 429', kind: 'later' }],
    [500, { ok: false, reason: 'answered 500', kind: 'again' }],
  ])('that answers %i, and leads elsewhere, is asked once', async (status, delivery) => {
    answer = (response) =>
      response.writeHead(status, { location: `${origin}/elsewhere` }).end('secret of it');
    expect(await sendTo('/')).toEqual(delivery);
    expect(calls).toHaveLength(1);
  });

  it('that sends a body without end is not waited for', async () => {
    const open: ServerResponse[] = [];
    answer = (response) => {
      open.push(response);
      response.writeHead(200).write('more');
    };
    expect(await sendTo('/')).toEqual({ ok: true });
    await vi.waitFor(() => expect(open[0]?.closed).toBe(true));
  });

  it('that does not answer is waited for ten seconds', async () => {
    answer = () => undefined;
    const waits: number[] = [];
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      waits.push(ms);
      // The time is up at once.
      return AbortSignal.abort(new DOMException('', 'TimeoutError'));
    });
    try {
      expect(await sendTo('/')).toEqual({ ok: false, reason: 'no answer within 10 seconds', kind: 'later' });
      expect(waits).toEqual([10_000]);
    } finally {
      timeout.mockRestore();
    }
  });

  it('that is not there, or hangs up, is no connection, and the reason does not name it', async () => {
    answer = (response) => response.destroy();
    expect(await sendTo('/?key=secret')).toEqual({ ok: false, reason: 'no connection', kind: 'again' });
    const nowhere = await send('http://127.0.0.1:1/', await signerOf([bytes(OLD)]), messageOf(EVENT));
    expect(nowhere).toEqual({ ok: false, reason: 'no connection', kind: 'again' });
  });

  it('is not asked where Cloudflare allows no more requests', async () => {
    const refused = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('Too many subrequests.'));
    try {
      expect(await sendTo('/')).toEqual({ ok: false, reason: 'too many requests', kind: 'limited' });
    } finally {
      refused.mockRestore();
    }
  });
});
