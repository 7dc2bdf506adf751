// The bytes of a body, up to a limit.
import { Problem } from './problem.ts';

const KIB = 1024;
/** How long a body may be where a route says nothing else. */
export const BODY_KIB = 16;

/**
 * The body, or `payload-too-large`, with OAuth's word for it where one is given. Counted while it streams: a Content-Length is
 * the caller's word only.
 */
export async function readBytes(
  request: Request,
  limitKib: number,
  error?: 'invalid_request',
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (request.body !== null) {
    for await (const chunk of request.body) {
      length += chunk.byteLength;
      if (length > limitKib * KIB)
        throw new Problem('payload-too-large', `A body is at most ${limitKib} KiB`, {}, error);
      chunks.push(chunk);
    }
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
