// The bytes of an isolate's memory that is full of records and of changes (worker/verification/isolate/memory.ts).
// `npx node --expose-gc bench/memory-bytes.ts` prints them.
import type { TokenHash } from '../worker/token/secret.ts';
import { Memory } from '../worker/verification/isolate/memory.ts';

const { gc } = globalThis;
if (gc === undefined) throw new Error('Run it with --expose-gc');

// Strings of their own, as JSON and a hash make them: a slice or a concatenation would be counted wrongly.
const fresh = (length: number, index: number) =>
  Buffer.from(index.toString(36).padStart(length, '-')).toString('latin1');
gc();
const before = process.memoryUsage().heapUsed;
const memory = new Memory();
for (let index = 0; index < 9999; index++) {
  memory.put(fresh(64, index) as TokenHash, 1, {
    tokenId: fresh(36, index),
    organisationId: fresh(36, index),
    plan: 'enterprise',
    active: true,
  });
}
memory.learn(
  { seq: 4000, nonce: 'nonce' },
  Array.from({ length: 4000 }, (_, index) => [fresh(64, index + 100_000) as TokenHash, index + 1]),
);
gc();
const bytes = process.memoryUsage().heapUsed - before;
process.stdout.write(`${JSON.stringify({ records: memory.size, bytes })}\n`);
