import { env } from 'cloudflare:workers';
import { is } from 'drizzle-orm';
import { SQLiteTable, getTableConfig } from 'drizzle-orm/sqlite-core';
import { expect, it } from 'vitest';
import * as declared from './tables.ts';

const tables = Object.values(declared).filter((value) => is(value, SQLiteTable));

it.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
  'reads the table %s column by column as the migrations made it',
  async (name, table) => {
    const { columns, primaryKeys } = getTableConfig(table);
    const key = new Set([
      ...columns.filter((column) => column.primary).map((column) => column.name),
      ...primaryKeys.flatMap((primary) => primary.columns.map((column) => column.name)),
    ]);
    const { results } = await env.DB.prepare(
      'SELECT name, type, "notnull" AS required, pk FROM pragma_table_info(?) ORDER BY cid',
    )
      .bind(name)
      .all<{ name: string; type: string; required: number; pk: number }>();
    expect(
      columns.map((column) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        required: column.notNull || key.has(column.name),
        key: key.has(column.name),
      })),
    ).toEqual(
      results.map(({ name: column, type, required, pk }) => ({
        name: column,
        type,
        required: required === 1 || pk > 0,
        key: pk > 0,
      })),
    );
  },
);

it('knows every table of the database', async () => {
  const { results } = await env.DB.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'table'
     AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'd1\\_%' ESCAPE '\\'
     ORDER BY name`,
  ).all<{ name: string }>();
  expect(tables.map((table) => getTableConfig(table).name).toSorted()).toEqual(
    results.map(({ name }) => name),
  );
});
