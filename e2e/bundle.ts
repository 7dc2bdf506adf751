// Bundles the Worker once for the suites of all projects, which take it from `inject('worker')`: bundling takes seconds of a core.
import type { TestProject } from 'vitest/node';
import { bundleWorker } from '../scripts/bundle.ts';
import { WITH_LIBSQL } from '../scripts/with-libsql.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be extended
  export interface ProvidedContext {
    /** The module that `wrangler deploy` would send. */
    worker: string;
  }
}

/** Runs before the suites of each project. What the root project provides, every project gets. */
export default function provideWorker({ vitest }: TestProject): void {
  const root = vitest.getRootProject();
  if (root.getProvidedContext().worker === undefined) root.provide('worker', bundleWorker().code);
}

let libsqlWorker: string | undefined;

/** The Worker of a deployment whose database is libSQL. Few suites need it: it is bundled for the first of them. */
export function bundleLibsqlWorker(): string {
  libsqlWorker ??= bundleWorker({ environment: WITH_LIBSQL }).code;
  return libsqlWorker;
}
