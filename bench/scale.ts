// Writes the figures of docs/scale.md: the cost of a call in time (latency-model.ts) and in money (bill.ts), and the limits (limits.ts).
//   npx node bench/scale.ts            prints the tables
//   npx node bench/scale.ts --write    puts them into docs/scale.md
//   npx node bench/scale.ts --check    fails when docs/scale.md has other figures
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { changeTable, costTable } from './bill.ts';
import { latencyTable, loadTable, restart } from './latency-model.ts';
import { breakTable, freeTable } from './limits.ts';

const TABLES: Record<string, () => string> = {
  latency: latencyTable,
  load: loadTable,
  cost: costTable,
  changes: changeTable,
  free: freeTable,
  breaks: breakTable,
};
const DOCUMENT = fileURLToPath(new URL('../docs/scale.md', import.meta.url));

function rendered(document: string): string {
  let text = document;
  for (const [name, table] of Object.entries(TABLES)) {
    restart();
    const block = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`);
    if (!block.test(text)) throw new Error(`docs/scale.md has no place for the table "${name}"`);
    const made = table();
    text = text.replace(block, (_, before: string, after: string) => `${before}${made}\n${after}`);
  }
  return text;
}

const document = readFileSync(DOCUMENT, 'utf8');
const fresh = rendered(document);
if (process.argv.includes('--write')) writeFileSync(DOCUMENT, fresh);
else if (process.argv.includes('--check')) {
  if (fresh !== document)
    throw new Error('docs/scale.md holds other figures: npx node bench/scale.ts --write');
} else {
  for (const table of Object.values(TABLES)) {
    restart();
    process.stdout.write(`${table()}\n\n`);
  }
}
