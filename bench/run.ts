// npm run bench: measures the product beside its peers and the version before, and writes bench/results.md.
//   (nothing)     the whole measurement, about fifteen minutes
//   --before REF  the version before is this commit instead of the kept release
//   --smoke       every part for a moment, to show that it works; writes nothing and measures nothing
//   --soak 10m    the long mixed run; its figures are added to the table
//   --quick       an accepted and a forged token beside Hono and the version before, in three minutes; writes nothing
//   --profile     where the warm path spends its time
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { installFor } from './packages.ts';
import type { Figures } from './report.ts';
import type { Soak } from './soak.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SOAK_FILE = `${HERE}soak.json`;
const RESULTS_FILE = `${HERE}results.md`;

/** The variants that `--quick` compares. */
const HOT = new Set([
  'hono-open',
  'hono-same-answer',
  'hono-bearer',
  'ours',
  'ours-forged',
  'ours-limited',
  'before',
  'before-forged',
  'ours-callers',
  'before-callers',
]);

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    soak: { type: 'string' },
    before: { type: 'string' },
    slices: { type: 'string' },
    tokens: { type: 'string', default: '1000000' },
  },
});
/** A slice of one variant, in milliseconds. */
const SLICE = { warmUp: 50, duration: 100, connections: [1, 32] };

const say = (line: string) => process.stderr.write(`${line}\n`);

installFor('better-auth');
const { openBefore } = await import('./before.ts');
const { openClient } = await import('./load.ts');
const { checkAnswers, measure } = await import('./slices.ts');
const { openVariants } = await import('./variants.ts');

const before = openBefore(options.before);
if (options.soak !== undefined) await runSoak(minutesOf(options.soak));
else if (options.profile) await runProfile();
else if (options.quick) await runQuick();
else await runAll();

async function runAll(): Promise<void> {
  const { bundle } = await import('./bundle.ts');
  const { measureBytes } = await import('./bytes.ts');
  const { measureCold } = await import('./cold.ts');
  const { measureStartUp } = await import('./start-up.ts');
  const { goals, verdict } = await import('./goals.ts');
  const { render } = await import('./report.ts');
  const { smoke } = options;
  const plan = { slices: smoke ? 2 : Number(options.slices ?? 150), ...SLICE };
  const client = openClient();
  const bench = await openVariants({ before, ...(smoke ? { tokens: 50 } : {}) });
  let slices: Figures['slices'];
  try {
    await checkAnswers(bench.variants);
    slices = await measure(bench.variants, client, plan, say);
  } finally {
    await bench.dispose();
  }
  const bytes = {
    ours: await measureBytes(bench.product),
    beforeGzip: gzipSync(before.code, { level: 9 }).length,
  };
  say('starting isolates');
  const startUp = await measureStartUp(bench.product, before, smoke ? 2 : plan.slices);
  say('filling the databases of the cold look-ups');
  const parts = { product: bench.product, wrapper: bench.wrapper, bare: await bundle('bench/peers/bare.ts') };
  const coldPlan = smoke
    ? { tokens: 100, rounds: 1, calls: 20 }
    : // Twice in a round: an isolate looks up a hundred secrets without a row at once, and no more.
      { tokens: Number(options.tokens), rounds: 15, calls: 45 };
  const cold = await measureCold(parts, client, coldPlan);
  await client.close();
  const text = render({
    machine: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    before: before.title,
    plan,
    variants: bench.variants,
    slices,
    cold,
    startUp,
    bytes,
    soak: lastSoak(),
  });
  if (smoke) {
    // Each variant has answered right, and each figure is a number.
    if (/NaN|Infinity|undefined/.test(text)) throw new Error(`a figure is missing:\n${text}`);
    execFileSync(process.execPath, [`${HERE}scale.ts`, '--check'], { stdio: 'inherit' });
    say(`bench: ${bench.variants.length} variants answered as they must, every figure was taken`);
    return;
  }
  writeFileSync(RESULTS_FILE, text);
  process.stdout.write(text);
  for (const goal of goals(slices, startUp, bytes.ours)) {
    if (verdict(goal) !== 'yes') say(`${verdict(goal)}: ${goal.what}`);
  }
}

async function runQuick(): Promise<void> {
  const { goals } = await import('./goals.ts');
  const { beforeTable, goalTable } = await import('./report.ts');
  const bench = await openVariants({ before, tokens: 50 });
  const client = openClient();
  try {
    await checkAnswers(bench.variants);
    const hot = bench.variants.filter(({ key }) => HOT.has(key));
    const slices = await measure(hot, client, { slices: Number(options.slices ?? 50), ...SLICE }, say);
    const measured = goals(slices, null, null).filter((goal) => goal.measured !== null);
    process.stdout.write(`${goalTable(measured)}\n\n${beforeTable({ before: before.title, slices })}\n`);
  } finally {
    await client.close();
    await bench.dispose();
  }
}

async function runSoak(minutes: number): Promise<void> {
  const { soak } = await import('./soak.ts');
  const bench = await openVariants({ before, inspectorPort: 0 });
  try {
    await checkAnswers(bench.variants);
    const figures = await soak(bench, minutes, say);
    writeFileSync(SOAK_FILE, `${JSON.stringify(figures, null, 2)}\n`);
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await bench.dispose();
  }
}

async function runProfile(): Promise<void> {
  const { openInspector, selfTimes } = await import('./inspector.ts');
  const bench = await openVariants({ before, tokens: 50, inspectorPort: 0, readable: true });
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
    await bench.dispose();
  }
}

function lastSoak(): Soak | null {
  // Only runSoak writes it.
  return existsSync(SOAK_FILE) ? (JSON.parse(readFileSync(SOAK_FILE, 'utf8')) as Soak) : null;
}

function minutesOf(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(m|s)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`--soak takes a duration such as 10m or 30s, not "${text}"`);
  return unit === 's' ? Number(amount) / 60 : Number(amount);
}
