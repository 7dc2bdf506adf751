// The table of docs/paths.md as data.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const SERVERS = ['nginx', 'Caddy', 'Node', 'Tomcat', 'PHP'] as const;
/** `path` as a caller sends it; `gateway` is `forwarded`, `400`, or `404` for a path outside /v1. */
export type PathRow = { path: string; gateway: string; servers: Record<string, string> };

const file = resolve(import.meta.dirname, '../docs/paths.md');

export function pathRows(): PathRow[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [path = '', gateway = '', ...cells] = line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll(/[`*]/g, ''));
      return {
        path,
        gateway,
        servers: Object.fromEntries(SERVERS.map((name, index) => [name, cells[index] ?? ''])),
      };
    });
}
