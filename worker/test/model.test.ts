// Random commands over HTTP to two isolates, compared with a model after each command. They test tenancy, the plan rules and
// the promise in orders that no example covers.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS, runCommands, ran } from './deeds.ts';
import { settled } from './model.ts';

const COMMANDS_IN_ALL = 1000;
/** Runs at the same time, because a change waits for its leases. The runs have different organisations. */
const LANES = 16;
/** Below 120 changes a minute for an organisation, because the limiter is the real one. */
const LENGTH = 60;

async function playLane(): Promise<void> {
  // Counts executed commands: the length of a run is random, and a command without a token is skipped.
  while (ran.executed < COMMANDS_IN_ALL) {
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: LENGTH, size: 'max' }), runCommands),
      { numRuns: 1, endOnFailure: true },
    );
  }
}

describe('random commands of three people on two organisations', () => {
  it(
    'have the results of the model, at every isolate, over a thousand commands',
    { timeout: 300_000 },
    async () => {
      await Promise.all(Array.from({ length: LANES }, playLane));
      await settled();
      expect(ran.executed).toBeGreaterThanOrEqual(COMMANDS_IN_ALL);
      // A run in which hardly anything is granted would agree with any model.
      expect(ran.granted).toBeGreaterThan(COMMANDS_IN_ALL / 10);
    },
  );
});
