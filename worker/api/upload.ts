// The body of a call on its way to the API behind this one. A failure on the caller's side must end the call: what came so
// far is no whole message (RFC 9112 section 8), and a stream that is merely closed would make it one.

/** How much is read at once, in bytes. */
const PIECE = 64 * 1024;

export type UploadEvents = {
  /** A piece of the body waits for the API to take it. */
  waits(): void;
  /** The API has taken that piece. */
  goesOn(): void;
  /** The API has all of the body. */
  isSent(): void;
  /** The caller's side failed; what the API got is not whole. */
  brokeOff(): void;
};

/** The body for the call to the API, with its length where the caller has said it. An API that reads no more ends it silently. */
export function startUpload(
  from: ReadableStream<Uint8Array>,
  length: string | null,
  on: UploadEvents,
): ReadableStream {
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  void handOn(from.getReader({ mode: 'byob' }), writable.getWriter(), on);
  return readable;
}

async function handOn(
  from: ReadableStreamBYOBReader,
  to: WritableStreamDefaultWriter<Uint8Array>,
  on: UploadEvents,
): Promise<void> {
  // Avoid an unhandled rejection when the API reads no more: the next write says so as well.
  to.closed.catch(() => {});
  let buffer = new ArrayBuffer(PIECE);
  for (;;) {
    const piece = await from.read(new Uint8Array(buffer)).catch(() => null);
    if (piece === null) return on.brokeOff();
    try {
      if (piece.done) {
        await to.close();
        return on.isSent();
      }
      on.waits();
      await to.write(piece.value);
      on.goesOn();
    } catch {
      return on.goesOn();
    }
    // Reading takes the buffer away and gives it back with what was read.
    buffer = piece.value.buffer as ArrayBuffer;
  }
}
