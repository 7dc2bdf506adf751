// Adds up the calls that the isolates of a region counted. Counts are approximate: a hub that dies may lose its last seconds.
import { lastAddresses } from '../record.ts';
import type { UsageRow } from '../record.ts';
import type { Counts } from '../sync.ts';

const HOUR_MS = 60 * 60 * 1000;

/** How many rows may wait: about 20 MB in storage. */
export const ROWS_KEPT = 100_000;

export class Usage {
  #rows = new Map<string, UsageRow>();
  #dropped = 0;

  /** Adds what one isolate counted since its last call. */
  add(counts: Counts, now: number): void {
    const hour = Math.floor(now / HOUR_MS);
    const at = new Date(now).toISOString();
    for (const [hash, [accepted, refused, tokenId, addresses]] of counts) {
      this.addRow({
        tokenId,
        hash,
        hour,
        accepted,
        refused,
        usedAt: accepted > 0 ? at : null,
        ...(addresses === undefined ? {} : { addresses, addressesAt: at }),
      });
    }
  }

  addRow(row: UsageRow): void {
    const key = `${row.hash ?? row.tokenId} ${row.hour}`;
    const sum = this.#rows.get(key);
    if (sum === undefined) {
      this.#rows.set(key, { ...row });
      if (this.#rows.size > ROWS_KEPT) this.#dropOldest();
      return;
    }
    sum.accepted += row.accepted;
    sum.refused += row.refused;
    if (row.usedAt !== null && row.usedAt > (sum.usedAt ?? '')) sum.usedAt = row.usedAt;
    if (row.addresses === undefined) return;
    sum.addresses = lastAddresses(sum.addresses, row.addresses);
    if ((row.addressesAt ?? '') > (sum.addressesAt ?? '')) sum.addressesAt = row.addressesAt ?? '';
  }

  /** How many rows were dropped since the last call of this method. The oldest are dropped when there are too many. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** The first key of a Map is the one that was added first. */
  #dropOldest(): void {
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      this.#dropped++;
      return;
    }
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** Takes all rows out, to be written. The caller gives rows that it cannot write back with `addRow`. */
  take(): UsageRow[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    return rows;
  }
}
