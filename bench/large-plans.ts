// Finds the statements whose plan walks a table.
import type { Database } from './tokens.ts';

/** One line for each statement that walks a table: SQLite's words, and the statement. */
export async function walksOf(db: Database, statements: Set<string>): Promise<string[]> {
  const walks: string[] = [];
  for (const sql of statements) {
    // A pragma has no plan.
    if (/pragma/i.test(sql)) continue;
    const numbered = [...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n));
    const places = numbered.length > 0 ? Math.max(...numbered) : sql.split('?').length - 1;
    const { results } = await db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...Array<null>(places).fill(null))
      .all<{ detail: string }>();
    for (const { detail } of results) {
      // Allowed: a list in a parameter, intermediate rows of the statement (`ended` are 50 secrets that are still called, at most), and
      // the newest changes, which end at their LIMIT.
      const isBounded =
        /^SCAN (?:CONSTANT ROW|\(subquery|(?:people|part|ended|told|used)$|\w+ VIRTUAL TABLE\b)/.test(
          detail,
        ) ||
        (detail === 'SCAN changes' && /FROM changes ORDER BY seq DESC LIMIT/.test(sql));
      if (detail.startsWith('SCAN ') && !isBounded) walks.push(`${detail}: ${sql}`);
    }
  }
  return walks;
}
