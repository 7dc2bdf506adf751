// The audit log as a file: CSV for people with spreadsheets, JSON Lines for machines. Streamed page by page.
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
const PAGE = 500;

export function exportActivity(
  db: Db,
  organisationId: string,
  filter: Filter,
  show: (event: Event) => Event,
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
      controller.enqueue(encoder.encode(page.events.map((event) => line(show(event))).join('')));
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
