import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { withDeadline } from './deadline.ts';
import { Hub } from './hub.ts';
import type { Source } from '../record.ts';
import { Table, hashOf, holderOf } from '../simulation/table.ts';

const DEADLINE_MS = 5000;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a hub whose read of the database hung answers again once the database does', async () => {
  const table = new Table();
  table.change('a', holderOf('a'));
  const hub = new Hub(withDeadline(table, DEADLINE_MS), () => Date.now(), 10_000);
  const hanging = vi.spyOn(table, 'newestChanges').mockReturnValue(new Promise(() => undefined));
  const first = hub.sync({ head: null, hash: hashOf('a') }).catch(() => 'failed');
  await vi.advanceTimersByTimeAsync(DEADLINE_MS);
  expect(await first).toBe('failed');
  hanging.mockRestore();
  expect((await hub.sync({ head: null, hash: hashOf('a') })).record).toMatchObject({ holder: holderOf('a') });
});

it.each([
  ['records', (source: Source) => source.read([hashOf('a')])],
  ['changes', (source: Source) => source.changesFrom(1, 10)],
  ['the newest changes', (source: Source) => source.newestChanges(10)],
])('a read of %s that hangs fails after its time, and not before', async (_, read) => {
  const table = new Table();
  table.slow = new Promise(() => undefined);
  let said = 'nothing';
  const reading = read(withDeadline(table, DEADLINE_MS)).catch((error: Error) => {
    said = error.message;
  });
  await vi.advanceTimersByTimeAsync(DEADLINE_MS - 1);
  expect(said).toBe('nothing');
  await vi.advanceTimersByTimeAsync(1);
  await reading;
  expect(said).toBe('database: too late');
});

it('a read that ends in time is answered unchanged, also a failure, and no timer is left', async () => {
  const table = new Table();
  table.change('a', holderOf('a'));
  const source = withDeadline(table, DEADLINE_MS);
  expect(await source.changesFrom(1, 10)).toEqual(await table.changesFrom(1, 10));
  table.isAway = true;
  await expect(source.read([hashOf('a')])).rejects.toThrow('the database is away');
  expect(vi.getTimerCount()).toBe(0);
});
