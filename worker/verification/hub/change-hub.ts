// One per region, near its isolates: the Durable Object around hub.ts. It adds up the calls that isolates counted and
// writes them to the database at most once a minute; what waits for that is kept in its own storage.
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
/** Counts wait this long in memory; a timer that is set keeps the object from hibernating over them. */
const SAVE_MS = 5000;
const WRITE_MS = 60_000;
/** Rows in one stored value and in one statement: some 1 MB, where a Durable Object and D1 both take 2 MB. */
const ROWS = 5000;
/**
 * Where counts are saved: the version of their shape stands in the key. Version 1, and the release before versions, counted by
 * token: their rows name no secret. What stands under another version is left where it is.
 */
const SAVED = 'usage:2:';
const SAVED_BEFORE = 'usage:';
const KNOWN = /^usage:(?:[12]:(?:fresh:\d+:)?)?\d+$/;
const WRITTEN = 'written-at';

export class ChangeHub extends DurableObject<Env> {
  /** A test replaces its methods. RPC reaches methods of the class only, so callers do not see this property. */
  protected readonly source: HubSource;
  readonly #deployment: Deployment;
  readonly #hub: Hub;
  readonly #terms: Terms;
  readonly #usage = new Usage();
  /** Whether the database is this deployment's; null until a hub has read whose it is. */
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

  /** Rejects a question under other terms than its own, and then counts nothing either: the caller keeps its counts. */
  sync(ask: Look & Partial<Terms>, counts: Counts): Promise<HubLook & Terms>;
  /** Answers when all that was counted up to this call is written, and rejects where that fails. */
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

  /** Answers when every change up to `point` is known here; rejects where it is not. */
  advance(point: Head & Partial<Terms>): Promise<Terms> {
    return answerUnder(this.#terms, point, async () => {
      await Promise.all([this.#hub.advance(point), this.#requireOwnDatabase()]);
      return {};
    });
  }

  /** Rejects where the database belongs to another deployment. Read once in the life of this object. */
  async #requireOwnDatabase(): Promise<void> {
    this.#owned ??= this.#readOwner().catch((error: unknown) => {
      this.#owned = null;
      throw error;
    });
    if (!(await this.#owned)) throw foreignError();
  }

  /** A database that belongs to no deployment is this one's from now on. A full database takes no row, and is served all the same. */
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

  /** Writes what was counted to the database. What cannot be written stays, and is tried again a minute later. */
  override async alarm(): Promise<void> {
    try {
      await this.#write();
    } catch {
      logFailure('usage-not-written');
      // Not thrown: the runtime gives up after six tries, and the database may be away for longer.
      await this.ctx.storage.setAlarm(Date.now() + WRITE_MS);
    }
    await this.ctx.storage.put(WRITTEN, Date.now());
  }

  /** One at a time: what is being written must not be written by another one as well. */
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
    // A part that was written is gone before the next one is tried, so that none is counted twice.
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
    // What is being written right now must not be added to.
    if (this.#writing !== null) return this.#saveSoon();
    await this.#save();
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    const written = (await this.ctx.storage.get<number>(WRITTEN)) ?? 0;
    await this.ctx.storage.setAlarm(Math.max(Date.now(), written + WRITE_MS));
  }

  /** Moves the sums from memory to storage, where they outlive this object: all of it or nothing. What lies there stays as it is. */
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

  /** Adds up what was saved, once a minute: all of it or nothing. */
  async #mergeSaved(): Promise<void> {
    const saved = await this.#saved();
    const sum = new Usage();
    for (const rows of saved.values()) for (const row of rows) sum.addRow(row);
    const parts = partsOf(sum.take(), SAVED);
    await this.ctx.storage.transaction(async (storage) => {
      for (const [key, part] of parts) await storage.put(key, part);
      // A part that outlived a write that failed half-way now lies in another one as well.
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

/** Rows by key, in an order that the keys keep: the oldest first. */
function partsOf(rows: UsageRow[], prefix: string): Map<string, UsageRow[]> {
  const parts = new Map<string, UsageRow[]>();
  for (let start = 0; start < rows.length; start += ROWS) {
    parts.set(`${prefix}${String(start).padStart(6, '0')}`, rows.slice(start, start + ROWS));
  }
  return parts;
}
