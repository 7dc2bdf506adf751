// One per region, near its isolates: the Durable Object around hub.ts. It adds up the calls that isolates counted and
// writes them to the truth at most once a minute; what waits for that is kept in its own storage.
import { DurableObject } from 'cloudflare:workers';
import { Hub } from './hub.ts';
import type { Answer, Ask } from './hub.ts';
import type { Truth, UsageRow } from './record.ts';
import { openTruth } from './truth.ts';
import type { TruthEnv } from './truth.ts';
import { Usage } from './usage.ts';
import type { Counts } from './verifier.ts';

type HubEnv = TruthEnv & { HUB_LEASE_MS: string };

/** Counts wait this long in memory; a timer that is set keeps the object from hibernating over them. */
const SAVE_MS = 5000;
const WRITE_MS = 60_000;
const SAVED = 'usage';

export class ChangeHub extends DurableObject<HubEnv> {
  private readonly truth: Truth;
  private readonly hub: Hub;
  private readonly usage = new Usage();
  private saving = false;

  constructor(state: DurableObjectState, env: HubEnv) {
    super(state, env);
    this.truth = openTruth(env);
    this.hub = new Hub(this.truth, () => Date.now(), Number(env.HUB_LEASE_MS));
  }

  async sync(ask: Ask, counts: Counts): Promise<Answer> {
    this.usage.add(counts, Date.now());
    if (!this.usage.isEmpty && !this.saving) {
      this.saving = true;
      setTimeout(() => this.ctx.waitUntil(this.save()), SAVE_MS);
    }
    const answer = await this.hub.sync(ask);
    if (this.hub.isStale) this.ctx.waitUntil(this.hub.refresh().catch(() => undefined));
    return answer;
  }

  advance(seq: number): Promise<void> {
    return this.hub.advance(seq);
  }

  /** Writes what was counted to the truth; on failure it stays, and the runtime calls again. */
  override async alarm(): Promise<void> {
    const rows = [...(await this.saved()), ...this.usage.take()];
    if (rows.length === 0) return;
    try {
      await this.truth.addUsage(rows);
    } catch (error) {
      await this.ctx.storage.put(SAVED, rows);
      throw error;
    }
    await this.ctx.storage.delete(SAVED);
  }

  private async save(): Promise<void> {
    this.saving = false;
    const sum = new Usage();
    for (const row of [...(await this.saved()), ...this.usage.take()]) sum.addRow(row);
    await this.ctx.storage.put(SAVED, sum.take());
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + WRITE_MS - SAVE_MS);
  }

  private async saved(): Promise<UsageRow[]> {
    return (await this.ctx.storage.get<UsageRow[]>(SAVED)) ?? [];
  }
}
