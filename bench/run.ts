// npm run bench: measures the product beside its peers and writes bench/results.md.
//   (nothing)     the whole measurement, about five minutes
//   --smoke       every part for an instant, to show that it works; writes nothing and concludes nothing
//   --soak 10m    the long mixed run; its figures join the table
//   --quick       the path of an accepted and of a forged token beside Hono's, in half a minute; writes nothing
//   --profile     where the warm path spends its time
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Measured } from './client.ts';
import { installFor } from './packages.ts';
import type { Figures } from './report.ts';
import type { Soak } from './soak.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SOAK_FILE = `${HERE}soak.json`;
const RESULTS_FILE = `${HERE}results.md`;

/** The variants that `--quick` compares. */
const HOT = ['hono-open', 'hono-same-answer', 'hono-bearer', 'ours', 'ours-forged'];

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    soak: { type: 'string' },
    // On a fast machine the sixth is one too many for better-auth, whose Worker hangs and takes workerd along (notes.md).
    rounds: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '1000000' },
  },
});

const say = (line: string) => process.stderr.write(`${line}\n`);

installFor('better-auth');
const { openClient } = await import('./load.ts');
const { checkAnswers, measure } = await import('./rounds.ts');
const { openVariants } = await import('./variants.ts');

if (options.soak !== undefined) await runSoak(minutesOf(options.soak));
else if (options.profile) await runProfile();
else if (options.quick) await runQuick();
else await runAll();

async function runAll(): Promise<void> {
  const { bundle } = await import('./bundle.ts');
  const { measureBytes } = await import('./bytes.ts');
  const { measureCold } = await import('./cold.ts');
  const { measureStartUp } = await import('./start-up.ts');
  const { goals, isMet, render } = await import('./report.ts');
  const { smoke } = options;
  const plan = {
    rounds: smoke ? 1 : Number(options.rounds),
    warmUp: smoke ? 50 : 250,
    duration: smoke ? 100 : 1000,
    connections: [1, 32],
  };
  const client = openClient();
  const bench = await openVariants(smoke ? 50 : undefined);
  let rounds: Figures['rounds'];
  try {
    await checkAnswers(bench.variants);
    rounds = await measure(bench, client, plan, say);
  } finally {
    await bench.fleet.dispose();
  }
  const bytes = await measureBytes(bench.product);
  const startUp = await measureStartUp(bench.product, smoke ? 2 : 40);
  say('filling the databases of the cold look-ups');
  const parts = { product: bench.product, wrapper: bench.wrapper, bare: await bundle('bench/peers/bare.ts') };
  const coldPlan = smoke
    ? { tokens: 100, rounds: 1, calls: 20 }
    : // Twice in a round: an isolate looks up a hundred secrets without a row at once, and no more.
      { tokens: Number(options.tokens), rounds: 15, calls: 45 };
  const cold = await measureCold(parts, client, coldPlan);
  await client.close();
  const figures: Figures = {
    machine: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    plan,
    variants: bench.variants,
    rounds,
    cold,
    startUp,
    bytes,
    soak: lastSoak(),
  };
  const text = render(figures);
  if (smoke) {
    // Shown to work: each variant answered right, each figure is a number.
    if (/NaN|Infinity|undefined/.test(text)) throw new Error(`a figure is missing:\n${text}`);
    execFileSync(process.execPath, [`${HERE}latency-model.ts`, '--check'], { stdio: 'inherit' });
    say(`bench: ${bench.variants.length} variants answered as they must, every figure was taken`);
    return;
  }
  writeFileSync(RESULTS_FILE, text);
  process.stdout.write(text);
  for (const goal of goals(figures)) if (isMet(goal) === false) say(`not met: ${goal.what}`);
}

async function runQuick(): Promise<void> {
  const { cell } = await import('./rounds.ts');
  const bench = await openVariants(50);
  const client = openClient();
  try {
    await checkAnswers(bench.variants);
    const hot = { ...bench, variants: bench.variants.filter(({ key }) => HOT.includes(key)) };
    const plan = { rounds: 3 * Number(options.rounds), warmUp: 50, duration: 100, connections: [1, 32] };
    const rounds = await measure(hot, client, plan, () => {});
    for (const connections of plan.connections) {
      const floor = rounds.get(cell('hono-open', connections)) ?? [];
      for (const key of HOT) {
        const own = rounds.get(cell(key, connections)) ?? [];
        // The least of many short rounds: what other processes take away is not ours to count.
        const least = (of: (measured: Measured) => number) =>
          Math.min(...own.map(of)) / Math.min(...floor.map(of));
        const p50 = least((one) => one.p50).toFixed(2);
        const cpu = least((one) => one.cpu ?? Number.NaN).toFixed(2);
        process.stdout.write(`${cell(key, connections).padEnd(22)} p50 ${p50}  CPU ${cpu}\n`);
      }
    }
  } finally {
    await client.close();
    await bench.fleet.dispose();
  }
}

async function runSoak(minutes: number): Promise<void> {
  const { soak } = await import('./soak.ts');
  const bench = await openVariants(undefined, 0);
  try {
    await checkAnswers(bench.variants);
    const figures = await soak(bench, minutes, say);
    writeFileSync(SOAK_FILE, `${JSON.stringify(figures, null, 2)}\n`);
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await bench.fleet.dispose();
  }
}

async function runProfile(): Promise<void> {
  const { openInspector, selfTimes } = await import('./inspector.ts');
  const bench = await openVariants(50, 0, true);
  const client = openClient();
  try {
    for (const key of ['hono-open', 'hono-bearer', 'ours', 'ours-forged']) {
      const variant = bench.variants.find((one) => one.key === key);
      if (variant === undefined) continue;
      const { port, requests, status } = variant;
      const inspector = await openInspector(await bench.fleet.miniflare.getInspectorURL(), key);
      const load = {
        port,
        requests,
        status,
        connections: 32,
        from: 0,
        limit: Number.POSITIVE_INFINITY,
        pid: bench.fleet.pid,
      };
      await client.run({ ...load, warmUp: 0, duration: 2000 });
      await inspector.startProfile();
      const { cpu } = await client.run({ ...load, warmUp: 0, duration: 4000 });
      const times = selfTimes(await inspector.stopProfile());
      inspector.close();
      process.stdout.write(`\n${key}: ${cpu?.toFixed(0)} µs of CPU per request\n`);
      for (const { name, share } of times.slice(0, 25))
        process.stdout.write(`${(100 * share).toFixed(1).padStart(6)} %  ${name}\n`);
    }
  } finally {
    await client.close();
    await bench.fleet.dispose();
  }
}

function lastSoak(): Soak | null {
  // Written by runSoak alone.
  return existsSync(SOAK_FILE) ? (JSON.parse(readFileSync(SOAK_FILE, 'utf8')) as Soak) : null;
}

function minutesOf(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(m|s)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`--soak takes a duration such as 10m or 30s, not "${text}"`);
  return unit === 's' ? Number(amount) / 60 : Number(amount);
}
