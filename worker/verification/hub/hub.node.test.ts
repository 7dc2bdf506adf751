import { beforeEach, describe, expect, it } from 'vitest';
import { Hub } from './hub.ts';
import { Table, hashOf, holderOf } from '../simulation/table.ts';

const LEASE_MS = 10_000;
let now: number;
let table: Table;
let hub: Hub;

beforeEach(() => {
  now = 1_000_000;
  table = new Table();
  hub = new Hub(table, () => now, LEASE_MS);
});

const hashesOf = (changes: Awaited<ReturnType<Hub['sync']>>['changes']) =>
  changes === 'reset' ? changes : changes.map(([hash]) => hash);

describe('what a hub knows', () => {
  it('is every change since the head of its caller, in order', async () => {
    const { head } = await hub.sync({ head: null });
    table.change('a', holderOf('a'));
    table.change('b', holderOf('b'));
    await hub.advance(table.head);
    const answer = await hub.sync({ head });
    expect(answer.changes).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
    expect(answer.head).toEqual(table.head);
    expect((await hub.sync({ head: answer.head })).changes).toEqual([]);
  });

  it('is read page by page to the end, even with thousands of changes', async () => {
    const { head } = await hub.sync({ head: null });
    for (let index = 0; index < 12_000; index++) table.change(index, null);
    await hub.advance(table.head);
    const answer = await hub.sync({ head });
    expect(answer.head).toEqual(table.head);
    expect(answer.changes).toHaveLength(12_000);
    expect(table.pages.length).toBeGreaterThanOrEqual(4);
  });

  it('is bounded, and a caller that missed more than the hub keeps must begin again', async () => {
    const { head } = await hub.sync({ head: null });
    for (let index = 0; index < 50_000; index++) table.change(index, null);
    await hub.advance(table.head);
    expect((await hub.sync({ head })).changes).toHaveLength(50_000);
    for (let index = 0; index < 10_000; index++) table.change(index, null);
    await hub.advance(table.head);
    const answer = await hub.sync({ head });
    expect(answer).toMatchObject({ changes: 'reset', head: table.head });
  });

  it('is the last 50,000 changes after its first load', async () => {
    const { head } = table;
    for (let index = 1; index < 50_000; index++) table.change(index, null);
    const answer = await hub.sync({ head });
    expect(answer.changes).toHaveLength(49_999);
    expect(table.pages).toHaveLength(1);
  });

  it('begins again if the rows after its head were pruned', async () => {
    const { head } = await hub.sync({ head: null });
    for (let index = 0; index < 5; index++) table.change(index, null);
    table.prune();
    now += LEASE_MS;
    expect(await hub.sync({ head })).toMatchObject({ changes: 'reset', head: table.head });
  });

  it('is asked for again by a caller who has seen more', async () => {
    await hub.sync({ head: null });
    table.change('a', holderOf('a'));
    const answer = await hub.sync({ head: table.head });
    expect(answer).toMatchObject({ head: table.head, changes: [] });
  });
});

describe('after the database was restored from a backup', () => {
  it('callers begin again, whether the numbers are behind, equal or ahead', async () => {
    const backup = table.backup();
    for (let index = 0; index < 3; index++) table.change('a', holderOf('a', index % 2 === 0));
    const { head } = await hub.sync({ head: null });
    for (const ahead of [0, 3, 7]) {
      table.restore(backup);
      for (let index = 0; index < ahead; index++) table.change('b', holderOf('b'));
      now += LEASE_MS;
      expect(await hub.sync({ head })).toMatchObject({ changes: 'reset', head: table.head });
    }
  });

  it('no record of the lost past is current, in KV or in the hub itself', async () => {
    table.change('a', holderOf('a'));
    const backup = table.backup();
    table.change('a', holderOf('lost'));
    const ask = { head: null, hash: hashOf('a') };
    const { record, head } = await hub.sync(ask);
    expect(record).toMatchObject({ holder: { tokenId: 'lost' } });
    table.restore(backup);
    table.change('b', null);
    expect(table.head.seq).toBe(head.seq);
    now += LEASE_MS;
    const again = await hub.sync({ ...ask, cached: head });
    expect(again.record).toMatchObject({ holder: { tokenId: 'a' } });
  });

  it('an advance is confirmed by a read of the new past, never by the old number', async () => {
    for (let index = 0; index < 9; index++) table.change('a', null);
    const backup = new Table().backup();
    await hub.sync({ head: null });
    table.restore(backup);
    await hub.advance(table.change('b', holderOf('b')));
    expect(await hub.sync({ head: null })).toMatchObject({ head: table.head });
  });
});

describe('the lease of a hub', () => {
  it('begins before its read, so the time of the read is a part of it', async () => {
    let answer: (value: unknown) => void = () => undefined;
    table.slow = new Promise((done) => {
      answer = done;
    });
    const asked = hub.sync({ head: null });
    now += 4000;
    answer(null);
    expect(await asked).toMatchObject({ remaining: LEASE_MS - 4000 });
  });

  it('is never granted by a read that took longer than the lease', async () => {
    let answer: (value: unknown) => void = () => undefined;
    table.slow = new Promise((done) => {
      answer = done;
    });
    const asked = hub.sync({ head: null });
    now += LEASE_MS;
    answer(null);
    await expect(asked).rejects.toThrow('no lease');
  });

  it('lets it answer while the database is away, and no longer than that', async () => {
    await hub.sync({ head: null });
    table.isAway = true;
    now += LEASE_MS - 1;
    expect(await hub.sync({ head: null })).toMatchObject({ remaining: 1 });
    now += 1;
    await expect(hub.sync({ head: null })).rejects.toThrow('away');
    table.isAway = false;
    expect(await hub.sync({ head: null })).toMatchObject({ remaining: LEASE_MS });
  });

  it('never confirms a change that it could not read', async () => {
    await hub.sync({ head: null });
    table.isAway = true;
    await expect(hub.advance({ seq: 2, nonce: 'a2' })).rejects.toThrow('away');
    table.isAway = false;
    await expect(hub.advance({ seq: 2, nonce: 'a2' })).rejects.toThrow('not there');
  });

  it('never confirms a change of another database that has the same number, or a lower one', async () => {
    for (let index = 0; index < 5; index++) table.change('a', null);
    await hub.sync({ head: null });
    for (const seq of [2, 6]) {
      await expect(hub.advance({ seq, nonce: 'of another database' })).rejects.toThrow('not there');
      await hub.advance({ seq, nonce: `a${seq}` });
    }
  });
});

describe('the record of a token', () => {
  it('is read once for a thousand callers at the same time', async () => {
    table.change('a', holderOf('a'));
    const ask = { head: null, hash: hashOf('a') };
    const answers = await Promise.all(Array.from({ length: 1000 }, () => hub.sync(ask)));
    expect(answers.every(({ record }) => typeof record === 'object' && record.holder?.tokenId === 'a')).toBe(
      true,
    );
    expect(table.reads + table.pages.length).toBeLessThanOrEqual(2);
  });

  it('is read again if a change came during the read', async () => {
    table.change('a', holderOf('a'));
    await hub.sync({ head: null });
    let answer: (value: unknown) => void = () => undefined;
    table.slow = new Promise((done) => {
      answer = done;
    });
    const asked = hub.sync({ head: null, hash: hashOf('a') });
    table.slow = null;
    await hub.advance(table.change('a', holderOf('a', false)));
    answer(null);
    expect((await asked).record).toMatchObject({ holder: { active: false } });
  });

  it('in KV is used for as long as nothing changes, and never after a change', async () => {
    table.change('a', holderOf('a'));
    const { head } = await hub.sync({ head: null });
    now += 365 * 24 * 3_600_000;
    const ask = { head, hash: hashOf('a'), cached: head };
    expect((await hub.sync(ask)).record).toBe('cached');
    expect(table.reads).toBe(0);
    await hub.advance(table.change('a', holderOf('a', false)));
    const answer = await hub.sync(ask);
    expect(answer.record).toMatchObject({ holder: { active: false } });
    expect(hashesOf(answer.changes)).toEqual(['a']);
  });

  it('from after the newest change is not used', async () => {
    table.change('a', holderOf('a', false));
    const cached = { seq: 1000, nonce: 'made up' };
    const answer = await hub.sync({ head: null, hash: hashOf('a'), cached });
    expect(answer.record).toMatchObject({ holder: { active: false } });
  });

  it('is missing from the answer while the database is away, and the rest is answered', async () => {
    const { head } = await hub.sync({ head: null });
    table.isAway = true;
    const answer = await hub.sync({ head, hash: hashOf('a') });
    expect(answer).toMatchObject({ changes: [], head });
    expect(answer.record).toBeUndefined();
  });
});

describe('the reads of a hub', () => {
  it('are few, each for many tokens, when thousands are asked for at once', async () => {
    await hub.sync({ head: null });
    const tokens = Array.from({ length: 1000 }, (_, index) => `t${index}`);
    for (const token of tokens) table.change(token, holderOf(token));
    await hub.advance(table.head);
    let answer: (value: unknown) => void = () => undefined;
    table.slow = new Promise((done) => {
      answer = done;
    });
    const asked = tokens.map((token) => hub.sync({ head: null, hash: hashOf(token) }));
    await Promise.resolve();
    await Promise.resolve();
    expect(table.reads).toBe(6);
    answer(null);
    for (const [index, { record }] of (await Promise.all(asked)).entries()) {
      expect(record).toMatchObject({ holder: { tokenId: `t${index}` } });
    }
    // Six of one token each, and the rest by the hundred.
    expect(table.reads).toBe(6 + 10);
  });

  it('fail only for their own tokens, and the next reads are tried', async () => {
    table.change('a', holderOf('a'));
    await hub.sync({ head: null });
    table.isAway = true;
    expect((await hub.sync({ head: null, hash: hashOf('a') })).record).toBeUndefined();
    table.isAway = false;
    expect((await hub.sync({ head: null, hash: hashOf('a') })).record).toMatchObject({
      holder: holderOf('a'),
    });
  });
});
