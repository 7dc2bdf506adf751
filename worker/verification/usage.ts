// Adds up what the isolates of a region counted. Approximate by contract: a hub that dies may lose its last seconds.
import type { UsageRow } from './record.ts';
import type { Counts } from './verifier.ts';

const HOUR_MS = 60 * 60 * 1000;

export class Usage {
  #rows = new Map<string, UsageRow>();

  /** Adds what one isolate counted since it last told. */
  add(counts: Counts, now: number): void {
    const hour = Math.floor(now / HOUR_MS);
    for (const [tokenId, [accepted, refused]] of counts) {
      this.addRow({
        tokenId,
        hour,
        accepted,
        refused,
        usedAt: accepted > 0 ? new Date(now).toISOString() : null,
      });
    }
  }

  addRow(row: UsageRow): void {
    const key = `${row.tokenId} ${row.hour}`;
    const sum = this.#rows.get(key);
    if (sum === undefined) {
      this.#rows.set(key, { ...row });
      return;
    }
    sum.accepted += row.accepted;
    sum.refused += row.refused;
    if (row.usedAt !== null && row.usedAt > (sum.usedAt ?? '')) sum.usedAt = row.usedAt;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** Everything so far, to be written; what cannot be written comes back by `addRow`. */
  take(): UsageRow[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    return rows;
  }
}
