import { describe, expect, it } from 'vitest';
import { planRestore, type RestoreEvent } from './restore-plan.ts';

function event(action: RestoreEvent['action'], more: Partial<RestoreEvent> = {}): RestoreEvent {
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
  const updates = statements.filter((text) => /^UPDATE (?:tokens|expiry_warnings)/.test(text));
  expect(updates).toEqual([
    expect.stringMatching(/^UPDATE tokens SET expires_at = /),
    expect.stringMatching(
      /^UPDATE expiry_warnings SET given_by = 'r' WHERE token_id = 't' AND days = 30 AND due_at <= '2026-01-31T13:00:00.000Z' AND given_by IS NULL AND NOT EXISTS/,
    ),
  ]);
  expect(open).toEqual([]);
});

it('switches off what was switched off together, with the mark, and pauses what was paused; what came back is left to people', () => {
  const tokenId = 't';
  const actor = 'owner@example.com';
  const together = event('token.deactivated', { tokenId, actor, detail: 'all' });
  const alone = event('token.deactivated', { tokenId, actor, at: '2026-01-31T13:00:00.000Z' });
  const resumed = event('token.activated', { tokenId, actor, detail: 'all' });
  const updates = (...events: RestoreEvent[]) =>
    planRestore(events).statements.filter((text) => /^UPDATE (?!mail_progress)/.test(text));
  expect(updates(together)).toEqual([
    expect.stringMatching(
      /^UPDATE tokens SET active = 0, paused_together_at = '2026-01-31T12:00:00.000Z', paused_together_by = (?:'owner@example.com'|CAST\(\S+ AS TEXT\)) WHERE id = 't' AND active = 1 AND NOT EXISTS/,
    ),
  ]);
  // The last event decides: such a token is not one of all any more.
  expect(updates(together, alone)).toEqual([
    expect.stringMatching(
      /^UPDATE tokens SET active = 0, paused_together_at = NULL, paused_together_by = NULL WHERE id = 't' AND NOT EXISTS/,
    ),
  ]);
  expect(updates(together, resumed)).toEqual([]);
  expect(planRestore([together, resumed]).open).toEqual([expect.stringContaining('was activated')]);

  const [paused, ended] = [event('organisation.paused'), event('organisation.resumed')];
  const pause = expect.stringMatching(
    /^UPDATE organisations SET paused_at = '2026-01-31T12:00:00.000Z' WHERE id = 'acme' AND paused_at IS NULL AND NOT EXISTS/,
  );
  expect(updates(paused)).toEqual([pause]);
  expect(updates(ended, paused)).toEqual([pause]);
  expect(updates(paused, ended)).toEqual([]);
  expect(planRestore([paused, ended]).open).toEqual([expect.stringContaining('The pause of acme was ended')]);
});

it('lets no mail wait, and no event be mailed, that is of before', () => {
  const { statements } = planRestore([event('token.created', { tokenId: 't' })]);
  expect(statements.indexOf('DELETE FROM notices;')).toBeGreaterThan(-1);
  expect(statements.at(-2)).toMatch(/^INSERT INTO events/);
  expect(statements.at(-1)).toMatch(
    /^UPDATE mail_progress SET event_id = \(SELECT coalesce\(max\(id\), 0\) FROM events\)/,
  );
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

describe('an exposure since then', () => {
  const ofToken = { tokenId: 't', preview: '9pabc', actor: 'reporter' };
  const exposed = event('token.exposed', { ...ofToken, detail: 'report: https://paste.example/a: b' });
  const paused = event('token.deactivated', { ...ofToken, detail: 'exposed' });
  const marks = (events: RestoreEvent[]) =>
    planRestore(events).statements.filter((text) => text.includes('SET active = 0, exposed_at'));

  it('marks the token again and switches it off, before it is deactivated for another reason', () => {
    const [mark] = marks([exposed, paused]);
    expect(mark).toContain(
      "exposed_by = 'report', exposed_where = 'https://paste.example/a: b', exposed_paused = active WHERE id = 't' AND preview = '9pabc' AND exposed_at IS NULL AND NOT EXISTS",
    );
    const { statements, open } = planRestore([exposed, paused]);
    expect(statements.indexOf(mark ?? '')).toBeLessThan(
      statements.findLastIndex((text) => text.startsWith('UPDATE tokens SET active = 0')),
    );
    expect(open).toEqual([]);
    expect(marks([event('token.exposed', { ...ofToken, detail: 'github' }), paused])[0]).toContain(
      "exposed_by = 'github', exposed_where = NULL,",
    );
  });

  it('of both values of a token by one report marks the token by its current value, and both events are put on record again', () => {
    const retiring = { ...ofToken, preview: '9pold', detail: 'report' };
    const { statements } = planRestore([
      event('token.exposed', { ...ofToken, detail: 'report' }),
      paused,
      event('token.exposed', retiring),
      event('token.retired', { ...retiring, detail: 'exposed' }),
    ]);
    expect(statements.filter((text) => text.includes('SET active = 0, exposed_at'))).toEqual([
      expect.stringContaining("WHERE id = 't' AND preview = '9pabc' AND exposed_at IS NULL AND NOT EXISTS"),
    ]);
    const recorded = statements.filter((text) => /^INSERT INTO events .*'token\.exposed'/.test(text));
    expect(recorded).toEqual([
      expect.stringContaining("preview IS '9pabc'"),
      expect.stringContaining("preview IS '9pold'"),
    ]);
  });

  it('that a member has ended by resuming is not marked; one that a replacement ended is, because that is lost', () => {
    const resumed = event('token.activated', { ...ofToken, actor: 'owner@example.com', requestId: 's' });
    expect(marks([exposed, paused, resumed])).toEqual([]);
    expect(marks([exposed, paused, { ...resumed, detail: 'rotated' }])).toHaveLength(1);
    expect(
      marks([exposed, paused, resumed, { ...exposed, requestId: 'u' }, { ...paused, requestId: 'u' }]),
    ).toHaveLength(1);
  });

  it('that paused nothing is told to a person', () => {
    const alone = event('token.exposed', { ...ofToken, detail: 'url' });
    expect(marks([alone])).toEqual([]);
    expect(planRestore([alone]).open).toEqual([expect.stringContaining('9pabc of acme was exposed (url)')]);
  });
});

it('says again by whom and when a token was deleted or a value ended: its event comes back after it', () => {
  const at = '2026-01-31T13:00:00.000Z';
  const of = { tokenId: 't', actor: 'owner@example.com', at };
  const { statements } = planRestore([
    event('token.retired', { ...of, preview: '9pOld' }),
    event('token.deleted', { ...of, preview: '9pNew' }),
  ]);
  const updates = statements.filter((text) => text.startsWith('UPDATE tombstones'));
  expect(updates).toEqual([
    expect.stringMatching(
      /^UPDATE tombstones SET ended_by = .* AND preview = '9pOld' AND kind = 'retired' AND ended_by IS NULL AND NOT EXISTS/,
    ),
    expect.stringMatching(
      /^UPDATE tombstones SET ended_at = '2026-01-31T13:00:00.000Z', ended_by = .* WHERE token_id = 't' AND kind = 'deleted' AND ended_by IS NULL AND NOT EXISTS/,
    ),
  ]);
  const place = (start: string) => statements.findIndex((text) => text.startsWith(start));
  expect(place('DELETE FROM tokens')).toBeLessThan(place('UPDATE tombstones SET ended_at'));
  expect(place('UPDATE tombstones SET ended_at')).toBeLessThan(place('INSERT INTO events'));
});
