// The Durable Object around hub.ts. There is one for each region, near its isolates. It adds up the calls that isolates counted, and
// writes the sums to the database at most once a minute. Until then it keeps them in its own storage.
import { DurableObject } from 'cloudflare:workers';
import { openDeployment } from '../../deployment/deployment.ts';
import type { Deployment } from '../../deployment/deployment.ts';
import type { Env } from '../../deployment/env.ts';
import { logFailure, logMisconfigured, logOften } from '../../http/log.ts';
import { storageCodeOf } from '../../storage-failure.ts';
import { inTime, withDeadline } from './deadline.ts';
import { Hub } from './hub.ts';
import { FOREIGN_FAULT, foreignError } from '../ownership.ts';
import type { Head, HubSource, UsageRow } from '../record.ts';
import { answerUnder, termsOf } from '../terms.ts';
import type { Terms } from '../terms.ts';
import { Usage } from './usage.ts';
import type { Answer, Ask, Counts, HubLook, Look, Write } from '../sync.ts';

/** How long a read of the database may take. */
const SOURCE_MS = 5000;
/** How long counts wait in memory. The object does not hibernate while a timer is set, so the counts are not lost. */
const SAVE_MS = 5000;
const WRITE_MS = 60_000;
/**
 * Rows in one stored value and in one statement at most, and how many characters they may have as JSON. A Durable Object and D1 both
 * allow 2 MB, and names of networks are short enough that a character has less than two bytes.
 */
const ROWS = 5000;
const LENGTH = 1_000_000;
/**
 * The prefix of the keys under which counts are saved. It has the version of their shape. Version 2 knew neither callers nor reasons.
 * Version 1, and the release before versions, counted by token: their rows name no secret. Values of other versions are left as they
 * are.
 */
const SAVED = 'usage:3:';
const SAVED_BEFORE = 'usage:';
const KNOWN = /^usage:(?:[123]:(?:fresh:\d+:)?)?\d+$/;
const WRITTEN = 'written-at';

export class ChangeHub extends DurableObject<Env> {
  /** A test replaces its methods. RPC reaches methods of the class only, so callers do not see this property. */
  protected readonly source: HubSource;
  readonly #deployment: Deployment;
  readonly #hub: Hub;
  readonly #terms: Terms;
  readonly #usage = new Usage();
  /** Whether the database belongs to this deployment. Null until the hub has read its owner. */
  #owned: Promise<boolean> | null = null;
  #saving = false;
  #writing: Promise<void> | null = null;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const deployment = openDeployment(env);
    const { databaseEpoch, hubLeaseMs } = deployment.settings;
    this.#deployment = deployment;
    this.source = deployment.openSource();
    this.#terms = termsOf(databaseEpoch);
    this.#hub = new Hub(
      withDeadline(this.source, SOURCE_MS, logStorageFailure),
      () => Date.now(),
      hubLeaseMs,
    );
  }

  /** Rejects a question under other terms. The counts of a rejected question are not added: the caller keeps them. */
  sync(ask: Look & Partial<Terms>, counts: Counts): Promise<HubLook & Terms>;
  /** Answers when all counts up to this call are written. Rejects if that fails. */
  sync(ask: Write & Partial<Terms>, counts: Counts): Promise<Terms>;
  sync(ask: Ask & Partial<Terms>, counts: Counts): Promise<Answer & Terms>;
  sync(
    ask: (Ask | Look | Write) & Partial<Terms>,
    counts: Counts,
  ): Promise<(Answer | HubLook | object) & Terms> {
    return answerUnder(this.#terms, ask, async () => {
      if ('look' in ask) return this.#hub.look();
      if ('write' in ask) {
        await this.#requireOwnDatabase();
        await this.#write();
        return {};
      }
      const [answer] = await Promise.all([this.#hub.sync(ask), this.#requireOwnDatabase()]);
      this.#usage.add(counts, Date.now());
      if (!this.#usage.isEmpty) this.#saveSoon();
      if (this.#hub.isStale) this.ctx.waitUntil(this.#hub.refresh().catch(() => undefined));
      return answer;
    });
  }

  /** Answers when the hub has read every change up to `point`. Rejects if it cannot. */
  advance(point: Head & Partial<Terms>): Promise<Terms> {
    return answerUnder(this.#terms, point, async () => {
      await Promise.all([this.#hub.advance(point), this.#requireOwnDatabase()]);
      return {};
    });
  }

  /** Rejects if the database belongs to another deployment. The owner is read once in the life of this object. */
  async #requireOwnDatabase(): Promise<void> {
    this.#owned ??= this.#readOwner().catch((error: unknown) => {
      this.#owned = null;
      throw error;
    });
    if (!(await this.#owned)) throw foreignError();
  }

  /** Claims a database that has no owner. A full database cannot take the row, but it is served too. */
  async #readOwner(): Promise<boolean> {
    const own = this.#deployment.id;
    const read = () => inTime(this.source.owner(), SOURCE_MS, logStorageFailure);
    let owner = await read();
    if (owner === null) {
      await inTime(this.source.claim(own), SOURCE_MS, logStorageFailure).catch(() => undefined);
      owner = await read();
    }
    const isOwn = owner === null || owner === own;
    if (!isOwn) logMisconfigured(FOREIGN_FAULT);
    return isOwn;
  }

  /** Writes the counts to the database. Counts that cannot be written are kept, and tried again a minute later. */
  override async alarm(): Promise<void> {
    try {
      await this.#write();
    } catch {
      logFailure('usage-not-written');
      // The error is not thrown: the runtime gives up after six tries, and the database may be away for longer.
      await this.ctx.storage.setAlarm(Date.now() + WRITE_MS);
    }
    await this.ctx.storage.put(WRITTEN, Date.now());
  }

  /** Writes the counts, one write at a time, so that no count is written twice. */
  async #write(): Promise<void> {
    while (this.#writing !== null) await this.#writing.catch(() => undefined);
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null;
    });
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    await this.#save();
    await this.#mergeSaved();
    // A part is deleted before the next one is written, so that none is counted twice.
    for (const [key, rows] of await this.#saved()) {
      await this.source.addUsage(rows);
      await this.ctx.storage.delete(key);
    }
  }

  #saveSoon(): void {
    if (this.#saving) return;
    this.#saving = true;
    setTimeout(() => this.ctx.waitUntil(this.#saveAndWake()), SAVE_MS);
  }

  async #saveAndWake(): Promise<void> {
    this.#saving = false;
    // Parts that are being written must not change.
    if (this.#writing !== null) return this.#saveSoon();
    await this.#save();
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    const written = (await this.ctx.storage.get<number>(WRITTEN)) ?? 0;
    await this.ctx.storage.setAlarm(Math.max(Date.now(), written + WRITE_MS));
  }

  /** Moves the sums from memory to storage, all or none, so that they outlive this object. Earlier parts stay as they are. */
  async #save(): Promise<void> {
    const dropped = this.#usage.takeDropped();
    if (dropped > 0) logFailure('usage-dropped', String(dropped));
    const rows = this.#usage.take();
    if (rows.length === 0) return;
    const parts = partsOf(rows, `${SAVED}fresh:${Date.now()}:`);
    try {
      await this.ctx.storage.transaction(async (storage) => {
        for (const [key, part] of parts) await storage.put(key, part);
      });
    } catch (error) {
      for (const row of rows) this.#usage.addRow(row);
      throw error;
    }
  }

  /** Adds up all saved parts into new ones, all or none. Once for each write. */
  async #mergeSaved(): Promise<void> {
    const saved = await this.#saved();
    const sum = new Usage();
    for (const rows of saved.values()) for (const row of rows) sum.addRow(row);
    const parts = partsOf(sum.take(), SAVED);
    await this.ctx.storage.transaction(async (storage) => {
      for (const [key, part] of parts) await storage.put(key, part);
      // A part may be left of a write that failed half-way. Its rows are in the new parts now.
      for (const key of saved.keys()) if (!parts.has(key)) await storage.delete(key);
    });
    const dropped = sum.takeDropped();
    if (dropped > 0) logFailure('usage-dropped', String(dropped));
  }

  async #saved(): Promise<Map<string, UsageRow[]>> {
    const all = await this.ctx.storage.list<UsageRow[]>({ prefix: SAVED_BEFORE });
    return new Map([...all].filter(([key]) => KNOWN.test(key)));
  }
}

function logStorageFailure(error: unknown): void {
  logOften('storage-failed', storageCodeOf(error));
}

/** The rows in parts, by key. The order of the keys is that of the rows. */
function partsOf(rows: UsageRow[], prefix: string): Map<string, UsageRow[]> {
  const parts = new Map<string, UsageRow[]>();
  let part: UsageRow[] = [];
  let left = 0;
  for (const [index, row] of rows.entries()) {
    const { length } = JSON.stringify(row);
    left -= length;
    if (left < 0 || part.length === ROWS) {
      part = [];
      left = LENGTH - length;
      parts.set(`${prefix}${String(index).padStart(6, '0')}`, part);
    }
    part.push(row);
  }
  return parts;
}
