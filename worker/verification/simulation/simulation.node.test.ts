// Tests the promise over thousands of adverse schedules: when a change has answered, every verification that starts afterwards
// sees it. Each rule of the code is also left out once, to show that this test notices it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HUB_BRAKES } from '../hub/brakes.ts';
import { Hub } from '../hub/hub.ts';
import { HUB_RULES } from '../hub/rules.ts';
import type { HubRules } from '../hub/rules.ts';
import { BRAKES } from '../isolate/brakes.ts';
import { ISOLATE_RULES } from '../isolate/rules.ts';
import type { IsolateRules } from '../isolate/rules.ts';
import { IsolateVerifier } from '../isolate/verifier.ts';
import type { Ports } from '../isolate/verifier.ts';
import { PUBLISH_RULES, publishChange } from '../publish.ts';
import type { PublishRules } from '../publish.ts';
import type { Source } from '../record.ts';
import { TERMS_RULES, answerUnder, askUnder } from '../terms.ts';
import type { TermsRules } from '../terms.ts';
import { World } from './world.ts';
import type { Code, Wrong } from './world.ts';

const REAL: Code = { Hub, IsolateVerifier, publishChange, askUnder, answerUnder };
const SCHEDULES = Number(process.env['SIMULATION_SCHEDULES'] ?? 1000);

/** Schedules that once broke the promise. */
const FOUND = [660481450, 1545987006];
/** Schedules in which the simulation itself once stood still. */
const STOOD_STILL = [-477825025, 1247391259];

async function play(code: Code, seed: number): Promise<{ wrong: Wrong[]; checked: number }> {
  const world = new World(code, seed);
  await world.run();
  return world;
}

describe('the promise', () => {
  it(
    `holds over ${SCHEDULES} schedules of slow, lost and repeated messages, hubs that restart, a KV that answers old values, moved databases, secrets that end, tokens that are limited and organisations that are paused`,
    { timeout: 30_000 + SCHEDULES * 60 },
    async () => {
      let checked = 0;
      await fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const world = await play(REAL, seed);
          checked += world.checked;
          expect(world.wrong).toEqual([]);
        }),
        {
          numRuns: SCHEDULES,
          endOnFailure: true,
          examples: [...FOUND, ...STOOD_STILL].map((seed): [number] => [seed]),
        },
      );
      // A simulation that answers nothing could break no promise.
      expect(checked).toBeGreaterThan(SCHEDULES * 30);
    },
  );
});

/** Every rule that is named in the code, left out alone. */
type Broken = {
  isolate?: Partial<IsolateRules>;
  hub?: Partial<HubRules>;
  publish?: Partial<PublishRules>;
  terms?: Partial<TermsRules>;
};

const TWINS: { rule: string; broken: Broken }[] = [
  {
    rule: 'wait out the longest lease there is',
    broken: { publish: { longestLeaseMs: (_, hubLeaseMs) => hubLeaseMs } },
  },
  { rule: 'wait for the leases that are out', broken: { publish: { restMs: () => 0 } } },
  { rule: 'wait out the hub that does not confirm', broken: { publish: { isConfirmed: () => true } } },
  {
    rule: 'count a lease from before the call',
    broken: { isolate: { leaseBegins: (_, answeredAt) => answeredAt } },
  },
  { rule: 'never stack a lease on another', broken: { isolate: { leaseLasts: (ownMs) => ownMs } } },
  { rule: 'keep no record that a change has overtaken', broken: { isolate: { isOvertaken: () => false } } },
  {
    rule: 'treat a reset as a reset',
    broken: {
      isolate: { isReset: (changes, known): changes is 'reset' => changes === 'reset' && known === null },
    },
  },
  {
    rule: 'read before confirming',
    broken: { hub: { readsBeforeConfirming: () => false, confirms: (_, __, change) => change.seq >= 0 } },
  },
  {
    rule: 'confirm by number and nonce',
    broken: { hub: { confirms: (_, head, change) => head !== null && head.seq >= change.seq } },
  },
  { rule: 'never trust KV', broken: { hub: { trustsCached: () => true } } },
  { rule: 'never trust a read that others began', broken: { hub: { trustsRead: () => true } } },
  { rule: 'load once at a time, without a gap', broken: { hub: { joinsLoads: () => false } } },
  { rule: 'recognise a restored database by its nonces', broken: { hub: { isSameNonce: () => true } } },
  { rule: 'refuse a secret from its end on', broken: { isolate: { hasEnded: () => false } } },
  {
    rule: 'refuse no secret before its end',
    broken: { isolate: { hasEnded: (expiresAt, now) => now + 2000 >= expiresAt } },
  },
  { rule: 'refuse the tokens of a paused organisation', broken: { isolate: { isPaused: () => false } } },
  { rule: 'keep to the networks', broken: { isolate: { keepsToNetworks: () => true } } },
  { rule: 'keep to the websites', broken: { isolate: { keepsToOrigins: () => true } } },
  { rule: 'keep to the paths', broken: { isolate: { keepsToPaths: () => true } } },
  { rule: 'keep to the access', broken: { isolate: { keepsToAccess: () => true } } },
  { rule: 'believe no hub of another epoch', broken: { terms: { isSameEpoch: () => true } } },
];

/** The real code with some rules overridden. */
function twinOf({ isolate, hub, publish, terms }: Broken): Code {
  const termsRules = { ...TERMS_RULES, ...terms };
  return {
    Hub: class extends Hub {
      constructor(source: Source, now: () => number, leaseMs: number) {
        super(source, now, leaseMs, HUB_BRAKES, { ...HUB_RULES, ...hub });
      }
    },
    IsolateVerifier: class extends IsolateVerifier {
      constructor(ports: Ports) {
        super(ports, BRAKES, { ...ISOLATE_RULES, ...isolate });
      }
    },
    publishChange: (ports, change) => publishChange(ports, change, { ...PUBLISH_RULES, ...publish }),
    askUnder: (own, question, ask) => askUnder(own, question, ask, termsRules),
    answerUnder: (own, question, answer) => answerUnder(own, question, answer, termsRules),
  };
}

describe('a twin that lacks one rule is caught', () => {
  it.each(TWINS)('$rule', { timeout: 240_000 }, async ({ broken }) => {
    const code = twinOf(broken);
    let seed = 0;
    while (seed < 4000 && (await play(code, seed)).wrong.length === 0) seed++;
    expect(seed, 'the schedule that catches it').toBeLessThan(4000);
  });

  it('for every rule that the code names', () => {
    const left = (rules: object, overridden: (broken: Broken) => object | undefined) =>
      Object.keys(rules).filter((name) => !TWINS.some(({ broken }) => name in (overridden(broken) ?? {})));
    expect(left(ISOLATE_RULES, ({ isolate }) => isolate)).toEqual([]);
    expect(left(HUB_RULES, ({ hub }) => hub)).toEqual([]);
    expect(left(PUBLISH_RULES, ({ publish }) => publish)).toEqual([]);
    expect(left(TERMS_RULES, ({ terms }) => terms)).toEqual([]);
  });
});
