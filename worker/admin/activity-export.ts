// The audit log as a file: CSV for people with spreadsheets, JSON Lines for machines. Streamed page by page.
import { listEvents } from '../activity/store.ts';
import type { Event, Filter } from '../activity/store.ts';
import type { Db } from '../database.ts';

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
const PAGE = 500;

export function exportActivity(
  db: Db,
  organisationId: string,
  filter: Filter,
  format: 'csv' | 'jsonl',
): Response {
  const encoder = new TextEncoder();
  let cursor: string | null | undefined = filter.before === undefined ? undefined : String(filter.before);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (format === 'csv') controller.enqueue(encoder.encode(`${COLUMNS.join(',')}\r\n`));
    },
    async pull(controller) {
      const page = await listEvents(
        db,
        organisationId,
        { ...filter, ...(cursor === undefined ? {} : { before: Number(cursor) }) },
        PAGE,
      );
      const line = format === 'csv' ? csvLine : jsonLine;
      controller.enqueue(encoder.encode(page.events.map(line).join('')));
      cursor = page.next;
      if (cursor === null) controller.close();
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

/** RFC 4180; a cell that a spreadsheet would run as a formula is defused with an apostrophe (OWASP, CSV injection). */
function csvCell(text: string): string {
  const safe = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
