// Any order of deeds, over HTTP: random commands to two isolates, compared with a model after
// each of them. Tenancy, the plan rules and the promise, where no example was thought of.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS, playOneWorld, ran } from './deeds.ts';
import { settled } from './model.ts';

const COMMANDS_IN_ALL = 1000;
/** Worlds side by side: a change waits for its leases, and nothing of one organisation touches another. */
const LANES = 16;
/** Below 120 changes a minute for an organisation: the limiter is the real one. */
const LENGTH = 60;

async function playLane(): Promise<void> {
  // By what was executed: the length of a run is drawn, and a command that has no token to act on is left out.
  while (ran.executed < COMMANDS_IN_ALL) {
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: LENGTH, size: 'max' }), playOneWorld),
      { numRuns: 1, endOnFailure: true },
    );
  }
}

describe('any order of deeds by three people on two organisations', () => {
  it(
    'does what the model says, at every isolate, over a thousand commands',
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
