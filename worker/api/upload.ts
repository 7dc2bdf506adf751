// The body of a call on its way to the upstream API. A failure on the caller's side must end the call: the API has only a part of
// the message (RFC 9112 section 8), and must not take it for a whole one because the stream was closed.

/** The size of one read, in bytes. */
const PIECE = 64 * 1024;

export type UploadEvents = {
  /** A piece of the body waits for the API to take it. */
  waits(): void;
  /** The API has taken that piece. */
  goesOn(): void;
  /** The API has all of the body. */
  isSent(): void;
  /** The caller's side failed. The API got only a part of the body. */
  brokeOff(): void;
};

/** The body for the call to the API, with its length if the caller sent it. If the API stops reading, the upload ends without an event of failure. */
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
  // Avoid an unhandled rejection when the API stops reading: the next write fails too, and that failure is handled.
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
    // A read detaches the buffer and gives it back with the bytes.
    buffer = piece.value.buffer as ArrayBuffer;
  }
}
