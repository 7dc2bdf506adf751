// A program that the tests start and stop, or wait for. Its output is searched for secrets, like the output of our
// Workers.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess, ExecFileOptions } from 'node:child_process';
import { watch } from '../scripts/watched.ts';

/** `stop` answers its exit code, or null when a signal ended it. `output`: what it has printed so far. */
export type Child = { stop(): Promise<number | null>; output(): string };

/** How long a program may take to end by itself. */
const STOP_MS = 5000;

/** Programs that still run, and the signal that ends each. */
const running = new Map<ChildProcess, NodeJS.Signals>();
process.once('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

/**
 * Starts it and waits until its output matches `ready`. Rejects with the output when the program ends earlier. `env` is
 * added to that of this process. `signal` is for a
 * program that ends what it has started itself: it alone stops the program, however long that takes.
 */
export async function startChild(
  command: string,
  args: string[],
  ready: RegExp,
  { env = {}, cwd, signal }: { env?: Record<string, string>; cwd?: string; signal?: NodeJS.Signals } = {},
): Promise<Child> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    cwd,
  });
  // A suite whose set-up fails does not stop what it started, so the end of this process does.
  running.set(child, signal ?? 'SIGKILL');
  child.once('exit', () => running.delete(child));
  let output = '';
  const ended = new Promise<number | null>((done) => {
    child.once('close', done);
  });
  await new Promise<void>((done, fail) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (ready.test(output)) done();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', fail);
    child.once('close', () => fail(new Error(`${command} ended:\n${output}`)));
  });
  return {
    output: () => output,
    stop: async () => {
      child.kill(signal ?? 'SIGTERM');
      // A gateway waits for streams that a test left open.
      const timer = setTimeout(() => signal ?? child.kill('SIGKILL'), STOP_MS);
      const code = await ended;
      clearTimeout(timer);
      watch(output);
      return code;
    },
  };
}

/** Runs it until it ends. */
export function runChild(
  command: string,
  args: string[],
  options: ExecFileOptions,
): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(command, args, { ...options, encoding: 'utf8' }, (error, stdout, stderr) => {
      watch(stdout + stderr);
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}
