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

it('counts a warning that was given since as given, after the end that it warns of is set again', () => {
  const tokenId = 't';
  const moved = event('token.expiry-changed', { tokenId, detail: '2026-03-01T00:00:00.000Z' });
  const warned = event('token.expiring', { tokenId, detail: '30', at: '2026-01-31T13:00:00.000Z' });
  const { statements, open } = planRestore([moved, warned]);
  const updates = statements.filter((text) => text.startsWith('UPDATE'));
  expect(updates).toEqual([
    expect.stringMatching(/^UPDATE tokens SET expires_at = /),
    expect.stringMatching(
      /^UPDATE expiry_warnings SET given_by = 'r' WHERE token_id = 't' AND days = 30 AND due_at <= '2026-01-31T13:00:00.000Z' AND given_by IS NULL AND NOT EXISTS/,
    ),
  ]);
  expect(open).toEqual([]);
});

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
