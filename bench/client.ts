// The client of the measurement: a closed loop over keep-alive sockets, in a separate thread so that nothing else delays it.
// It reads every answer to its end and compares its status. One wrong status ends the run. A peer that is known to fail sometimes is
// the exception: its failures are counted, and its connection is opened again.
import { connect } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { cpuNanoseconds } from './process.ts';

export type Load = {
  port: number;
  connections: number;
  /** Whole requests, ready to send; used in turn over all connections. */
  requests: Uint8Array[];
  /** Where in `requests` this load begins; the answer says where it ended. */
  from: number;
  status: number;
  /** Failures of the Worker (500) are counted instead of ending the run. */
  mayFail?: boolean;
  /** Unmeasured time before, in milliseconds. */
  warmUp: number;
  duration: number;
  /** Milliseconds that a connection rests after each answer. */
  pause?: number;
  /** Ends a load early, after so many measured requests. */
  limit: number;
  /** The process whose CPU is read before and after. */
  pid: number | null;
};

export type Measured = {
  requests: number;
  failures: number;
  seconds: number;
  /** Microseconds. */
  p50: number;
  p99: number;
  /** CPU microseconds per request of the measured process; null where there is no /proc. */
  cpu: number | null;
  next: number;
};

const LEAST_ANSWERS = 10;
/** A Worker that has not answered for this time counts as hung. */
const PATIENCE_MS = 20_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** Runs one load to its end. Rejects when an answer has another status than the one expected, or a socket fails. */
export async function run(load: Load): Promise<Measured> {
  const latencies: number[] = [];
  let next = load.from;
  let failures = 0;
  let measuring = false;
  let stopped = false;

  function loop(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
      let sent = 0;
      let held: Buffer | null = null;
      let hasFailed = false;
      const send = () => {
        const request = load.requests[next++ % load.requests.length];
        if (request === undefined) return reject(new Error('a load without requests'));
        sent = performance.now();
        socket.write(request);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => {
        if (stopped) resolve();
        else if (hasFailed) loop().then(resolve, reject);
        else reject(new Error('the server closed a connection'));
      });
      socket.on('data', (chunk: Buffer) => {
        const answer: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
        if (!isWhole(answer)) {
          held = answer;
          return;
        }
        held = null;
        const now = performance.now();
        const status = Number(answer.toString('latin1', 9, 12));
        if (status === 500 && load.mayFail === true) {
          failures += 1;
          hasFailed = true;
          socket.destroy();
          return;
        }
        if (status !== load.status) {
          stopped = true;
          socket.destroy();
          return reject(
            new Error(
              `${load.port} answered ${status}, not ${load.status}: ${answer.toString('latin1', 0, 600)}`,
            ),
          );
        }
        if (measuring) {
          latencies.push(now - sent);
          if (latencies.length >= load.limit) stopped = true;
        }
        if (stopped) return socket.end();
        if (load.pause === undefined) return send();
        setTimeout(() => (stopped ? socket.end() : send()), load.pause);
      });
    });
  }

  const isEnough = () => stopped || latencies.length >= LEAST_ANSWERS;
  /** The duration. It is longer for a slow Worker that has not answered often enough yet. */
  async function enough(): Promise<void> {
    await sleep(load.duration);
    const end = performance.now() + PATIENCE_MS;
    while (!isEnough()) {
      if (performance.now() > end) throw new Error(`${load.port} does not answer`);
      await sleep(10);
    }
  }

  const loops = Array.from({ length: load.connections }, loop);
  const all = Promise.all(loops);
  await Promise.race([sleep(load.warmUp), all]);
  const cpuBefore = cpuNanoseconds(load.pid);
  const begun = performance.now();
  measuring = true;
  await Promise.race([enough(), all]);
  measuring = false;
  const seconds = (performance.now() - begun) / 1000;
  const cpuAfter = cpuNanoseconds(load.pid);
  stopped = true;
  await all;
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number) =>
    1000 * (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return {
    requests: sorted.length,
    failures,
    seconds,
    p50: at(0.5),
    p99: at(0.99),
    cpu: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / 1000 / sorted.length,
    next,
  };
}

/** Whether head and body have arrived. An answer has a Content-Length or is chunked. */
function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf(HEAD_END);
  if (end === -1) return false;
  const head = answer.toString('latin1', 0, end).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) return answer.length >= end + 4 + Number(length);
  return head.includes('\r\ntransfer-encoding: chunked')
    ? answer.toString('latin1', answer.length - 5) === '0\r\n\r\n'
    : true;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

parentPort?.on('message', (load: Load) => {
  run(load).then(
    (measured) => parentPort?.postMessage({ ok: true, measured }),
    (error: unknown) => parentPort?.postMessage({ ok: false, reason: String(error) }),
  );
});
