// The sizes in bytes of the Worker that is deployed, and of the code that each verification runs.
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle.ts';

export type Bytes = { worker: number; workerGzip: number; verification: number };

export async function measureBytes(product: string): Promise<Bytes> {
  return {
    worker: Buffer.byteLength(product),
    workerGzip: gzipSync(product, { level: 9 }).length,
    verification: Buffer.byteLength(
      await bundle('worker/verification/verify.ts', { minify: true, eager: true }),
    ),
  };
}
