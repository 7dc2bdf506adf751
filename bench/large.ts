// npm run bench:large: runs the statements of the product on a database of 20,000 organisations, 60,000 tokens and 400,000 events,
// and on a database of a thousandth of that, in turns. D1 counts the rows that are read. It fails if a statement walks a table.
//   --small   the large database has a hundredth of the rows: shows that the script works, and measures nothing
import { parseArgs } from 'node:util';
import { bundleWorker } from '../scripts/bundle.ts';
import { wrapperModule } from './bundle.ts';
import { openFleet, ours, peer } from './fleet.ts';
import { ask, type Answer, type Side } from './large-ask.ts';
import { fill } from './large-fill.ts';
import { walksOf } from './large-plans.ts';

const { values: options } = parseArgs({ options: { small: { type: 'boolean', default: false } } });
const SIZES = options.small ? { small: 20, large: 200 } : { small: 20, large: 20_000 };

const say = (line: string) => process.stderr.write(`${line}\n`);
const wrapper = wrapperModule('measured');
const { code } = bundleWorker();
const NAMES = ['small', 'large'] as const;
const fleet = await openFleet([
  peer('bare', 'export default { fetch: () => new Response() }'),
  ...NAMES.map((name) => ours({ name, code, wrapper, database: name })),
]);
try {
  const open = async (name: (typeof NAMES)[number]): Promise<Side> => {
    const db = await fleet.miniflare.getD1Database('DB', name);
    say(`Filling ${name}`);
    await fill(db, SIZES[name]);
    const size = await db
      .prepare(
        'SELECT (SELECT count(*) FROM organisations) AS organisations, (SELECT count(*) FROM tokens) AS tokens, (SELECT count(*) FROM events) AS events',
      )
      .first<Record<string, number>>();
    const { meta } = await db.prepare('SELECT 1').run();
    say(`${JSON.stringify(size)}, ${(meta.size_after / 1e6).toFixed(1)} MB`);
    const origin = `http://localhost:${await fleet.port(name)}`;
    const send = async (path: string, init?: RequestInit): Promise<Answer> =>
      // The Worker of bench/peers/measured.ts.
      (await (await fetch(origin + path, init)).json()) as Answer;
    return { db, send };
  };
  const [small, large] = [await open('small'), await open('large')];
  const { rows, statements } = await ask(small, large);
  const walks = await walksOf(large.db, statements);
  say(`${statements.size} statements, ${walks.length} of them walk a table`);
  for (const walk of walks) say(walk);
  if (walks.length > 0) process.exitCode = 1;
  console.log(
    '| asked | statements | rows read, small | rows read, large | rows written | ms, large | ratio of ms |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|');
  for (const [title, row] of rows) {
    console.log(
      `| ${title} | ${row.large.statements} | ${row.small.rowsRead.toLocaleString('en')} | ${row.large.rowsRead.toLocaleString('en')} | ${row.large.rowsWritten.toLocaleString('en')} | ${row.large.ms.toFixed(1)} | ${(row.large.ms / row.small.ms).toFixed(2)} |`,
    );
  }
} finally {
  await fleet.dispose();
}
