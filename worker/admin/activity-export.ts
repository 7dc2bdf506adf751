// The audit log as a file: CSV for spreadsheets, JSON Lines for programs. It is streamed page by page. If there are more events than
// one file may have, its last line has the address of the next file.
import { listEvents } from '../activity/store.ts';
import type { Event, Filter } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { csvCell } from './csv.ts';

const COLUMNS = [
  'at',
  'actor',
  'action',
  'tokenId',
  'preview',
  'detail',
  'ip',
  'userAgent',
  'requestId',
] as const satisfies (keyof Event)[];

/** How much one file holds: 40 statements of 5,000 events. D1 answers 50 MB, and 50 statements in a run on the free plan. */
export type FileSize = { page: number; pages: number };
const FILE: FileSize = { page: 5000, pages: 40 };

/**
 * `show` makes an event what members see of it. `addressAfter` is the address, path and query, of the file that begins after the
 * event of that number.
 */
export function exportActivity(
  db: Db,
  organisationId: string,
  filter: Filter,
  show: (event: Event) => Event,
  format: 'csv' | 'jsonl',
  addressAfter: (id: string) => Promise<string>,
  { page, pages }: FileSize = FILE,
): Response {
  const encoder = new TextEncoder();
  let cursor: string | null | undefined = filter.before === undefined ? undefined : String(filter.before);
  let read = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (format === 'csv') controller.enqueue(encoder.encode(`${COLUMNS.join(',')}\r\n`));
    },
    async pull(controller) {
      const { events, next } = await listEvents(
        db,
        organisationId,
        { ...filter, ...(cursor === undefined ? {} : { before: Number(cursor) }) },
        page,
      );
      read++;
      const line = format === 'csv' ? csvLine : jsonLine;
      controller.enqueue(encoder.encode(events.map((event) => line(show(event))).join('')));
      cursor = next;
      if (cursor !== null && read < pages) return;
      if (cursor !== null) controller.enqueue(encoder.encode(lastLine(await addressAfter(cursor), format)));
      controller.close();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8',
      'content-disposition': `attachment; filename="activity.${format}"`,
      'cache-control': 'no-store',
    },
  });
}

function jsonLine(event: Event): string {
  return `${JSON.stringify(event)}\n`;
}

function csvLine(event: Event): string {
  return `${COLUMNS.map((column) => csvCell(event[column] ?? '')).join(',')}\r\n`;
}

/** The last line of a file that has not all events: it has the address of the next file. */
function lastLine(address: string, format: 'csv' | 'jsonl'): string {
  if (format === 'jsonl') return `${JSON.stringify({ next: address })}\n`;
  return `${COLUMNS.map((_, index) => ['next', csvCell(address)][index] ?? '').join(',')}\r\n`;
}
