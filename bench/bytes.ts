// What is sent to Cloudflare and what stands on the path of every call, in bytes.
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
