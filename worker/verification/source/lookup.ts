// The reads of a call in D1. Another database offers the same functions (`Lookups` in record.ts).
import type { Change, Lookups } from '../record.ts';
import { CHANGES_FROM, READ, recordsOf } from './statements.ts';
import type { Row } from './statements.ts';

export function d1Lookups(db: D1Database): Lookups {
  return {
    async read(hashes) {
      return recordsOf((await db.prepare(READ).bind(JSON.stringify(hashes)).all<Row>()).results);
    },
    async changesFrom(seq, limit) {
      return (await db.prepare(CHANGES_FROM).bind(seq, limit).all<Change>()).results;
    },
  };
}
