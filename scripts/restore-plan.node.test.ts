import { expect, it } from 'vitest';
import { planRestore, type RestoreEvent } from './restore-plan.ts';

function event(action: string, more: Partial<RestoreEvent> = {}): RestoreEvent {
  return {
    id: '1',
    at: '2026-01-31T12:00:00.000Z',
    organisationId: 'acme',
    actor: 'operator',
    action,
    tokenId: null,
    preview: null,
    requestId: 'r',
    ip: null,
    userAgent: null,
    detail: null,
    ...more,
  };
}

const deletions = (events: RestoreEvent[]) =>
  planRestore(events).statements.filter((text) => text.startsWith('DELETE FROM organisations'));

it('deletes a restored organisation again, also when another one was created under its id later', () => {
  const deleted = event('organisation.deleted', { detail: 'Acme' });
  const created = event('organisation.created', { detail: 'Acme (trial)' });
  expect(deletions([deleted, created])).toEqual([
    expect.stringMatching(/^DELETE FROM organisations WHERE id = 'acme' AND NOT EXISTS \(/),
  ]);
  expect(planRestore([deleted, created]).open).toEqual([expect.stringContaining('organisation.created')]);
  expect(planRestore([created, deleted]).open).toEqual([]);
  expect(deletions([created, deleted])).toHaveLength(1);
  expect(deletions([created])).toEqual([]);
});
