// A long mixed run that tests whether the memory grows. It calls with warm tokens, with more tokens than an isolate remembers,
// with genuine secrets without a token, and with forged ones, and switches tokens meanwhile, at a steady pace with samples.
import { openInspector } from './inspector.ts';
import { openClient, request, type Client } from './load.ts';
import { residentMegabytes } from './process.ts';
import { forgedSecrets, genuineSecrets, tokenIdOf } from './tokens.ts';
import { PATH, type Bench, type Variant } from './variants.ts';

export type Course = { early: number; late: number; most: number };
export type Soak = {
  minutes: number;
  calls: number;
  switches: number;
  heap: Course;
  resident: Course | null;
};

/** Milliseconds of load between two samples. */
const SLICE = 5000;
const CONNECTIONS = 2;
/** Pause of each connection after an answer, in milliseconds: about 350 calls a second in all. */
const PAUSE = 20;
const FRESH_PER_SLICE = 2 * CONNECTIONS * (SLICE / PAUSE);

const fresh = (secrets: string[]) => secrets.map((secret) => request(PATH, secret));

export async function soak(bench: Bench, minutes: number, say: (line: string) => void): Promise<Soak> {
  const ours = bench.variants.find(({ key }) => key === 'ours');
  const walk = bench.variants.find(({ key }) => key === 'ours-kv')?.requests;
  if (ours === undefined || walk === undefined) throw new Error('the soak needs the variant ours');
  const inspector = await openInspector(await bench.fleet.miniflare.getInspectorURL(), ours.key);
  const clients = Array.from({ length: 4 }, openClient);
  const d1 = await bench.fleet.miniflare.getD1Database('DB', ours.key);
  const heap: number[] = [];
  const resident: number[] = [];
  // As many as an isolate looks up at once without finding a row (worker/verification/isolate/misses.ts).
  const withoutRow = fresh(genuineSecrets(100));
  let calls = 0;
  let switches = 0;
  let from = 0;
  const end = performance.now() + minutes * 60_000;
  try {
    while (performance.now() < end) {
      const kinds = [
        { requests: ours.requests, status: 200 },
        { requests: walk.slice(2), status: 200 },
        { requests: withoutRow, status: 401 },
        { requests: fresh(forgedSecrets(FRESH_PER_SLICE)), status: 401 },
      ];
      const sliceEnd = performance.now() + SLICE;
      const loads = Promise.all(kinds.map((kind, index) => paced(clients[index], ours, kind, from)));
      while (performance.now() < sliceEnd) {
        // The first token of the walk, which no call uses. Every isolate must learn of its changes.
        await d1.prepare('UPDATE tokens SET active = 1 - active WHERE id = ?').bind(tokenIdOf(1)).run();
        switches++;
        heap.push(await inspector.heapMegabytes());
        const megabytes = residentMegabytes(bench.fleet.pid);
        if (megabytes !== null) resident.push(megabytes);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      for (const measured of await loads) calls += measured.requests;
      from += FRESH_PER_SLICE;
      say(`${calls} calls, heap ${heap.at(-1)?.toFixed(1)} MB, process ${resident.at(-1)?.toFixed(0)} MB`);
    }
  } finally {
    inspector.close();
    await Promise.all(clients.map((client) => client.close()));
  }
  return {
    minutes,
    calls,
    switches,
    heap: course(heap),
    resident: resident.length === 0 ? null : course(resident),
  };
}

function paced(
  client: Client | undefined,
  ours: Variant,
  kind: { requests: Uint8Array[]; status: number },
  from: number,
) {
  if (client === undefined) throw new Error('one client for each kind');
  return client.run({
    port: ours.port,
    connections: CONNECTIONS,
    ...kind,
    from,
    warmUp: 0,
    duration: SLICE,
    pause: PAUSE,
    limit: Number.POSITIVE_INFINITY,
    pid: null,
  });
}

/**
 * The smallest sample of the second fifth and of the last fifth of the run. The first fifth fills bounded caches. A heap grows and
 * shrinks with garbage collection, and only the memory after a collection shows a leak.
 */
function course(samples: number[]): Course {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  return {
    early: Math.min(...samples.slice(fifth, 2 * fifth)),
    late: Math.min(...samples.slice(-fifth)),
    most: Math.max(...samples),
  };
}
