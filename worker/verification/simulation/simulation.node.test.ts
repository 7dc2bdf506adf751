// The promise, over thousands of hostile histories: when a change has answered, every verification that starts
// afterwards sees it. And the proof that this test can fail: each rule left out once is caught by it.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hub } from '../hub/hub.ts';
import { PUBLISH_RULES, publishChange } from '../publish.ts';
import { answerUnder, askUnder } from '../terms.ts';
import { Verifier } from '../isolate/verifier.ts';
import { World } from './world.ts';
import type { Code, Wrong } from './world.ts';

const REAL: Code = { Hub, Verifier, publishChange, askUnder, answerUnder };
const SCHEDULES = Number(process.env['SIMULATION_SCHEDULES'] ?? 5000);

/** Schedules that once broke the promise. */
const FOUND = [660481450, 1545987006];

async function play(code: Code, seed: number): Promise<{ wrong: Wrong[]; checked: number }> {
  const world = new World(code, seed);
  await world.run();
  return world;
}

describe('the promise', () => {
  it(
    `holds over ${SCHEDULES} schedules of slow, lost and repeated messages, dying hubs, a lying KV and moved databases`,
    { timeout: 30_000 + SCHEDULES * 60 },
    async () => {
      let checked = 0;
      await fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const world = await play(REAL, seed);
          checked += world.checked;
          expect(world.wrong).toEqual([]);
        }),
        { numRuns: SCHEDULES, endOnFailure: true, examples: FOUND.map((seed): [number] => [seed]) },
      );
      // A simulation in which nothing is answered would hold any promise.
      expect(checked).toBeGreaterThan(SCHEDULES * 30);
    },
  );
});

type Twin = { rule: string; file: string; swaps: [find: string, replace: string][] };

const TWINS: Twin[] = [
  {
    rule: 'wait for the leases that are out',
    file: 'publish.ts',
    swaps: [['if (rest > 0) await ports.sleep(rest);', '']],
  },
  {
    rule: 'count a lease from before the call',
    file: 'isolate/verifier.ts',
    swaps: [
      [
        'this.#take(asked, generation, ask.head, answer)',
        'this.#take(this.#ports.now(), generation, ask.head, answer)',
      ],
    ],
  },
  {
    rule: 'never stack a lease on another',
    file: 'isolate/verifier.ts',
    swaps: [['Math.min(this.#ports.leaseMs, remaining)', 'this.#ports.leaseMs']],
  },
  {
    rule: 'wait out the hub that does not confirm',
    file: 'publish.ts',
    swaps: [['ports.sleep(RETRY_MS).then(() => false)', 'true']],
  },
  {
    rule: 'read before confirming',
    file: 'hub/hub.ts',
    swaps: [
      ['await this.#refreshing?.catch(() => undefined);', 'void this.refresh().catch(() => undefined);'],
      ['await this.refresh();\n    // By number and nonce', '// By number and nonce'],
      ['if (!this.#knows(point)) throw', 'if (point.seq < 0) throw'],
    ],
  },
  {
    rule: 'keep no record that a change has overtaken',
    file: 'isolate/memory.ts',
    swaps: [['if (asOf < this.#floor || asOf < (this.#changed.get(hash) ?? 0)) return;', '']],
  },
  {
    rule: 'never trust KV',
    file: 'hub/hub.ts',
    swaps: [['if (cached !== undefined && this.#isCurrent(hash, cached))', 'if (cached !== undefined)']],
  },
  {
    rule: 'never trust a read that others began',
    file: 'hub/hub.ts',
    swaps: [['record !== undefined && this.#isCurrent(hash, record.asOf)', 'record !== undefined']],
  },
  {
    rule: 'take a reset for what it is',
    file: 'isolate/verifier.ts',
    swaps: [
      ["if (changes === 'reset') {", "if (changes === 'reset' && this.memory.head === null) {"],
      ['this.memory.learn(head, changes);', "this.memory.learn(head, changes === 'reset' ? [] : changes);"],
    ],
  },
  {
    rule: 'load once at a time, without a gap',
    file: 'hub/hub.ts',
    swaps: [['this.#refreshing ??= this.#load().finally', 'return this.#load().finally']],
  },
  {
    rule: 'tell a restored database from its own past',
    file: 'hub/hub.ts',
    swaps: [
      [' && this.#nonces.get(seq) === nonce', ''],
      [' || own.nonce !== nonce', ''],
    ],
  },
  {
    rule: 'confirm by number and nonce',
    file: 'hub/hub.ts',
    swaps: [
      ['if (!this.#knows(point)) throw', 'if (this.#head === null || this.#head.seq < point.seq) throw'],
    ],
  },
  {
    rule: 'believe no hub of another epoch',
    file: 'terms.ts',
    swaps: [["if (epoch !== own.epoch) throw new Error('hub: another database');", '']],
  },
];

/** The real code with one rule left out, as modules of its own. */
async function buildTwin({ rule, file, swaps }: Twin): Promise<Code> {
  const source = resolve(import.meta.dirname, '..');
  const folder = resolve(
    import.meta.dirname,
    '../../../.tmp/twins',
    rule.replaceAll(' ', '-'),
    String(process.pid),
  );
  // All of the Worker, so that no list here has to follow its imports.
  cpSync(join(source, '..'), folder, {
    recursive: true,
    filter: (path) => !/\.(?:test|suite)\.ts$|\.json$|\/simulation$/.test(path),
  });
  let text = readFileSync(join(source, file), 'utf8');
  for (const [find, replace] of swaps) {
    expect(text.split(find), `the rule as it stands in ${file}`).toHaveLength(2);
    text = text.replace(find, replace);
  }
  writeFileSync(join(folder, 'verification', file), text);
  const load = (name: string): Promise<unknown> =>
    import(/* @vite-ignore */ join(folder, 'verification', `${name}.ts`));
  const modules: object[] = [];
  for (const name of ['hub/hub', 'isolate/verifier', 'publish', 'terms'])
    modules.push((await load(name)) as object);
  rmSync(folder, { recursive: true });
  // The same modules but for the swaps, so they export the same names.
  return Object.assign({}, ...modules) as Code;
}

/** Twins that override a rule by its name. */
const OVERRIDDEN: { rule: string; code: Code }[] = [
  {
    rule: 'wait out the longest lease there is',
    code: {
      ...REAL,
      publishChange: (ports, change) =>
        publishChange(ports, change, {
          ...PUBLISH_RULES,
          longestLeaseMs: (_, hubLeaseMs) => hubLeaseMs,
        }),
    },
  },
];

describe('a twin that lacks one rule is caught', () => {
  it.each(OVERRIDDEN)('$rule', { timeout: 240_000 }, async ({ code }) => {
    let seed = 0;
    while (seed < 4000 && (await play(code, seed)).wrong.length === 0) seed++;
    expect(seed, 'the schedule that catches it').toBeLessThan(4000);
  });
  it.each(TWINS)('$rule', { timeout: 240_000 }, async (twin) => {
    const code = await buildTwin(twin);
    let seed = 0;
    while (seed < 4000 && (await play(code, seed)).wrong.length === 0) seed++;
    expect(seed, 'the schedule that catches it').toBeLessThan(4000);
  });
});
