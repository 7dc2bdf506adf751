// Adds up the calls that the isolates of a region counted. Counts are approximate: a hub that dies may lose its last seconds.
import { ALL_OTHERS, OTHERS, callerIn } from '../../token/callers.ts';
import type { CallerCount } from '../../token/callers.ts';
import { lastAddresses, plusReasons } from '../record.ts';
import type { UsageRow } from '../record.ts';
import type { Counts } from '../sync.ts';

const HOUR_MS = 60 * 60 * 1000;

/** How many rows may wait: about 25 MB in storage, and 75 MB in memory while they are added up. An object may take 128 MB. */
export const ROWS_KEPT = 60_000;
/** How many callers of a secret are counted by themselves. */
const CALLERS_KEPT = 20;
/** How many callers may wait beside the first of each row. The callers of the oldest rows are then added up. */
export const CALLERS_WAITING = 30_000;

export class Usage {
  #rows = new Map<string, UsageRow>();
  /** All callers but the first of each row. */
  #callers = 0;
  #dropped = 0;

  /** Adds what one isolate counted since its last call. */
  add(counts: Counts, now: number): void {
    const hour = Math.floor(now / HOUR_MS);
    const at = new Date(now).toISOString();
    for (const [hash, { tokenId, accepted, refused, reasons, addresses, callers }] of counts) {
      this.addRow({
        tokenId,
        hash,
        hour,
        accepted,
        refused,
        usedAt: accepted > 0 ? at : null,
        ...(addresses === undefined ? {} : { addresses, addressesAt: at }),
        ...(reasons === undefined ? {} : { reasons }),
        callers: callers.map((caller) => toldAt(caller, at)),
      });
    }
  }

  addRow(row: UsageRow): void {
    const key = `${row.hash ?? row.tokenId} ${row.hour}`;
    let sum = this.#rows.get(key);
    if (sum === undefined) {
      sum = { ...row, ...(row.callers === undefined ? {} : { callers: [] }) };
      this.#rows.set(key, sum);
      if (this.#rows.size > ROWS_KEPT) this.#dropOldest();
    } else {
      sum.accepted += row.accepted;
      sum.refused += row.refused;
      if (row.usedAt !== null && row.usedAt > (sum.usedAt ?? '')) sum.usedAt = row.usedAt;
      if (row.reasons !== undefined) sum.reasons = plusReasons(sum.reasons, row.reasons);
      if (row.addresses !== undefined) {
        sum.addresses = lastAddresses(sum.addresses, row.addresses);
        if ((row.addressesAt ?? '') > (sum.addressesAt ?? '')) sum.addressesAt = row.addressesAt ?? '';
      }
    }
    if (row.callers !== undefined) this.#addCallers(sum, row.callers);
  }

  #addCallers(sum: UsageRow, callers: CallerCount[]): void {
    const kept = (sum.callers ??= []);
    this.#callers -= moreThanOne(kept);
    for (const caller of callers) addCaller(kept, caller);
    this.#callers += moreThanOne(kept);
    if (this.#callers <= CALLERS_WAITING) return;
    for (const row of this.#rows.values()) {
      if (this.#callers <= CALLERS_WAITING / 2) return;
      this.#callers -= moreThanOne(row.callers);
      if (row.callers !== undefined) row.callers = asOthers(row.callers);
    }
  }

  /** How many rows were dropped since the last call of this method. The oldest are dropped when there are too many. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** The first key of a Map is the one that was added first. */
  #dropOldest(): void {
    for (const [key, { callers }] of this.#rows) {
      this.#rows.delete(key);
      this.#callers -= moreThanOne(callers);
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
    this.#callers = 0;
    return rows;
  }
}

function toldAt(caller: CallerCount, at: string): CallerCount {
  return { ...caller, lastAt: at };
}

/**
 * Adds calls to the callers of a secret. When there are too many, the caller with the fewest calls is added to the others, so that
 * many made-up callers do not hide the real ones.
 */
function addCaller(callers: CallerCount[], told: CallerCount): void {
  addTo(callerIn(callers, told), told);
  const own = callers.filter(({ network }) => network !== OTHERS);
  if (own.length <= CALLERS_KEPT) return;
  const fewest = own.reduce((one, other) => (callsOf(other) < callsOf(one) ? other : one));
  callers.splice(callers.indexOf(fewest), 1);
  addTo(callerIn(callers, ALL_OTHERS), fewest);
}

/** All of these callers together, as the others. */
function asOthers(callers: readonly CallerCount[]): CallerCount[] {
  const others: CallerCount[] = [];
  for (const caller of callers) addTo(callerIn(others, ALL_OTHERS), caller);
  return others;
}

function addTo(sum: CallerCount, told: CallerCount): void {
  sum.accepted += told.accepted;
  sum.refused += told.refused;
  if (told.lastAt !== undefined && told.lastAt > (sum.lastAt ?? '')) sum.lastAt = told.lastAt;
}

function callsOf({ accepted, refused }: CallerCount): number {
  return accepted + refused;
}

function moreThanOne(callers: readonly CallerCount[] = []): number {
  return Math.max(0, callers.length - 1);
}
