// A suite whose set-up fails cannot stop what it has started. Here it is checked that nothing of it keeps running.
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runChild } from './child.ts';
import { freePort } from './server.ts';

const root = resolve(import.meta.dirname, '..');

/** Whether a server answers at this port. */
async function isServed(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

it.each([
  ['the product', 'server.ts', (port: number) => `startServer({ port: ${port} })`],
  [
    'a program',
    'child.ts',
    (port: number) =>
      `startChild(process.execPath, ['-e', "http.createServer((_, r) => r.end()).listen(${port}, () => console.log('ready'))"], /ready/)`,
  ],
])(
  '%s that a failed set-up has started ends with its process',
  async (_, file, start) => {
    const port = await freePort();
    const name = start(port).split('(')[0];
    const suite = `
    import { ${name} } from './e2e/${file}';
    await ${start(port)};
    await fetch('http://127.0.0.1:${port}/');
    console.log('answered');
    throw new Error('the set-up fails');`;
    const ended = await runChild(process.execPath, ['--input-type=module', '--eval', suite], { cwd: root });
    expect(ended.output).toContain('answered');
    expect(ended.output).toContain('the set-up fails');
    expect(ended.code).toBe(1);
    await expect.poll(() => isServed(port), { timeout: 30_000 }).toBe(false);
  },
  180_000,
);
