// What `#libsql` is in a Worker for libSQL. The client is evaluated by the first call that needs it.
import type { Address } from './client.ts';
import type { Libsql } from './left-out.ts';

export const libsql: Libsql = {
  isBundled: true,
  openDatabase: async (address) => (await import('./database.ts')).openLibsqlDatabase(address),
  openSource(address) {
    const source = () => load(address);
    return {
      read: async (hashes) => (await source()).read(hashes),
      changesFrom: async (seq, limit) => (await source()).changesFrom(seq, limit),
      newestChanges: async (limit) => (await source()).newestChanges(limit),
      addUsage: async (rows) => (await source()).addUsage(rows),
      owner: async () => (await source()).owner(),
      claim: async (deployment) => (await source()).claim(deployment),
    };
  },
};

async function load(address: Address) {
  const { libsqlSource } = await import('./source.ts');
  return libsqlSource(address);
}
