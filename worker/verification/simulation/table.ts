// A source in memory that counts its readers, can be away, slow, pruned and restored from a backup: for the tests of verification.
import type { TokenHash } from '../../token/secret.ts';
import { NO_ORIGIN } from '../caller.ts';
import type { Caller } from '../caller.ts';
import type { Change, Head, Holder, Source } from '../record.ts';
import type { Counted } from '../sync.ts';

// The brand says "a SHA-256 in hex"; for these tests any string will do.
export const hashOf = (name: number | string) => String(name) as TokenHash;

/** Who calls where it makes no difference. */
export const SERVER: Caller = {
  method: 'GET',
  path: '/v1/ping',
  address: null,
  origin: NO_ORIGIN,
  traits: { network: 64_496, networkName: 'Example', country: 'DE', agent: 'curl' },
};

/** What an isolate tells of calls with one secret, when nobody asks who called. */
export const countedOf = (tokenId: string, accepted = 1, refused = 0): Counted => ({
  tokenId,
  accepted,
  refused,
  callers: [],
});

export const holderOf = (tokenId: string, active = true): Holder => ({
  tokenId,
  organisationId: 'o',
  plan: 'enterprise',
  active,
});

type Backup = { changes: Change[]; holders: Map<TokenHash, Holder | null> };

export class Table implements Source {
  reads = 0;
  /** Reads of changes by number and limit, in order. */
  pages: [seq: number, limit: number][] = [];
  isAway = false;
  /** Every read waits for this before it answers: a slow database. */
  slow: Promise<unknown> | null = null;
  used: unknown[] = [];
  private changes: Change[] = [{ seq: 1, nonce: 'a1', hash: hashOf('') }];
  private holders = new Map<TokenHash, Holder | null>();
  private life = 'a';

  /** Commits a change of a token; answers its number and nonce. */
  change(name: number | string, holder: Holder | null): Head {
    const seq = this.head.seq + 1;
    this.holders.set(hashOf(name), holder);
    this.changes.push({ seq, nonce: `${this.life}${seq}`, hash: hashOf(name) });
    return this.head;
  }

  get head(): Head {
    const { seq, nonce } = this.changes.at(-1) ?? { seq: 0, nonce: '' };
    return { seq, nonce };
  }

  /** Removes all changes but the newest, as the hourly upkeep may. */
  prune(): void {
    this.changes = this.changes.slice(-1);
  }

  backup(): Backup {
    return { changes: [...this.changes], holders: new Map(this.holders) };
  }

  /** Later changes get the same numbers again, with other nonces. */
  restore({ changes, holders }: Backup): void {
    this.changes = [...changes];
    this.holders = new Map(holders);
    this.life += 'r';
  }

  async read(hashes: TokenHash[]) {
    this.reads++;
    const asOf = this.head;
    return this.answer(
      new Map(hashes.map((hash) => [hash, { asOf, holder: this.holders.get(hash) ?? null }])),
    );
  }

  async changesFrom(seq: number, limit: number) {
    this.pages.push([seq, limit]);
    return this.answer(this.changes.filter((change) => change.seq >= seq).slice(0, limit));
  }

  async newestChanges(limit: number) {
    this.pages.push([0, limit]);
    return this.answer(this.changes.slice(-limit));
  }

  async addUsage(rows: unknown[]) {
    this.used.push(...rows);
  }

  /** Answers what was read at the time of the question, after the delay. */
  private async answer<T>(value: T): Promise<T> {
    if (this.isAway) throw new Error('the database is away');
    await this.slow;
    return value;
  }
}
