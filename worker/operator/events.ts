// The audit log of all organisations as JSON Lines, oldest first: for the restore script and for a SIEM.
import { listEventsOnwards } from '../activity/store.ts';
import type { Span } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { EXPORT_PAGE, EXPORT_PAGES } from './schemas.ts';

/**
 * The events of the span, a line each, EXPORT_PAGE times EXPORT_PAGES at most. `id` of the last line is the next `after`; no line means that there
 * are no more. The first page is read before the answer begins, so that a failure is a problem and not a file that ends early.
 */
export async function exportEvents(db: Db, span: Span): Promise<Response> {
  let page = await listEventsOnwards(db, span, EXPORT_PAGE);
  let pages = 1;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(page.map((event) => `${JSON.stringify(event)}\n`).join('')));
      const last = page.at(-1);
      if (last === undefined || page.length < EXPORT_PAGE || pages === EXPORT_PAGES) {
        controller.close();
        return;
      }
      pages++;
      page = await listEventsOnwards(db, { ...span, after: Number(last.id) }, EXPORT_PAGE);
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/jsonl' } });
}
