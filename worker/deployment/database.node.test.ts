// The choice of the database. These tests run the Worker for libSQL, which may be deployed on D1: then it never evaluates the
// client of libSQL. The Worker for D1 has no such client.
import { expect, it, vi } from 'vitest';

const evaluated = vi.hoisted(() => ({ client: false }));
vi.mock('@libsql/client/http', async (original) => {
  evaluated.client = true;
  return original();
});
// Another file of this process may have loaded the client.
vi.resetModules();
const { openDatabase } = await import('./database.ts');
const { openSource } = await import('../verification/source/hub-source.ts');
const leftOut = await import('../libsql/left-out.ts');
// Opening asks it nothing.
const d1 = {} as D1Database;

it('on D1 the client of libSQL is not loaded', async () => {
  const databases = { d1, libsql: null };
  await openDatabase(databases);
  // D1's own: a database that is no database has no statements.
  await expect(openSource(databases).newestChanges(1)).rejects.toThrow('prepare');
  expect(evaluated.client).toBe(false);
});

it('on libSQL it is loaded, by the first question that verification asks', async () => {
  const source = openSource({ d1, libsql: { url: 'http://127.0.0.1:1', authToken: undefined } });
  expect(evaluated.client).toBe(false);
  await expect(source.newestChanges(1)).rejects.toMatchObject({ name: 'LibsqlError' });
  expect(evaluated.client).toBe(true);
});

it('a Worker for D1 opens no database for LIBSQL_URL, and so never reads D1 in its place', () => {
  const address = { url: 'http://127.0.0.1:1', authToken: undefined };
  expect(() => leftOut.libsql.openDatabase(address)).toThrow('LIBSQL_URL is set');
  expect(() => leftOut.libsql.openSource(address)).toThrow('LIBSQL_URL is set');
});
