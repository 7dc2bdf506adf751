// The audit log of all organisations as JSON Lines, oldest first: for the restore script and for a SIEM.
import { listEventsOnwards } from '../activity/store.ts';
import type { Span } from '../activity/store.ts';
import type { Db } from '../database.ts';

/** D1 answers 50 MB at most; 5,000 events are 2 MB. */
const PAGE = 5000;
/** A Worker's run may send 50 statements on the free plan. What is left is had with `after`. */
const PAGES = 40;

/**
 * The events of the span, a line each, 200,000 at most. `id` of the last line is the next `after`; no line means that there
 * are no more. The first page is read before the answer begins, so that a failure is a problem and not a file that ends early.
 */
export async function exportEvents(db: Db, span: Span): Promise<Response> {
  let page = await listEventsOnwards(db, span, PAGE);
  let pages = 1;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(page.map((event) => `${JSON.stringify(event)}\n`).join('')));
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE || pages === PAGES) {
        controller.close();
        return;
      }
      pages++;
      page = await listEventsOnwards(db, { ...span, after: Number(last.id) }, PAGE);
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/jsonl' } });
}
