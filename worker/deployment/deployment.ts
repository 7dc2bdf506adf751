// The deployment that an isolate runs: its settings, read once, and its ports to what Cloudflare binds to it. No other file reads
// `env`.
import type { Db } from '../database.ts';
import { logMisconfigured } from '../http/log.ts';
import type { Publish } from '../organisation/store.ts';
import { knownFault, setFault } from '../fault.ts';
import { deploymentIdOf } from '../verification/ownership.ts';
import { verify } from '../verification/verify.ts';
import type { Verification, VerifyContext } from '../verification/verify.ts';
import type { Env } from './env.ts';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/** One object per isolate, for as long as the isolate lives. */
const opened = new WeakMap<Env, Deployment>();

/** The deployment of this `env`. Its settings are read by the first call alone; nothing is asked of any binding. */
export function openDeployment(env: Env): Deployment {
  let deployment = opened.get(env);
  if (deployment === undefined) opened.set(env, (deployment = new Deployment(env)));
  return deployment;
}

/** An API of the deployment's own, behind this one. */
export type Upstream = {
  /** The origin of its URL, or null where it is a Worker that is bound to this one. */
  origin: string | null;
  fetch(call: Request): Promise<Response>;
};

export type Mailer = {
  send(mail: { to: string; subject: string; text: string; html: string }): Promise<unknown>;
};

export class Deployment {
  readonly settings: Settings;
  readonly limiters: ReturnType<typeof limitersOf>;
  readonly upstream: Upstream | null;
  /** Null where no mail can be sent: there is no binding, or no address of a sender. */
  readonly mailer: Mailer | null;
  /** The files of the dashboard. */
  readonly assets: Pick<Fetcher, 'fetch'>;
  /** Which version of the Worker runs. */
  readonly version: WorkerVersionMetadata;
  readonly #env: Env;
  #isReported = false;

  constructor(env: Env) {
    const { settings, fault } = readSettings(env);
    this.settings = settings;
    this.#env = env;
    setFault(env, fault);
    this.limiters = limitersOf(env);
    this.upstream = upstreamOf(env, settings);
    this.mailer = mailerOf(env, settings);
    this.assets = env.ASSETS;
    this.version = env.VERSION;
  }

  /** What is wrong with the deployment, as one sentence, or null. A hub may tell it later (verification/ownership.ts). */
  get fault(): string | null {
    return knownFault(this.#env) ?? null;
  }

  /** Logs the fault, once. */
  reportFault(fault: string): void {
    if (this.#isReported) return;
    this.#isReported = true;
    logMisconfigured(fault);
  }

  /** May this secret call? At once when the isolate remembers; a promise when it has to ask. */
  verify(secret: string, context: VerifyContext): Verification | Promise<Verification> {
    return verify(secret, this.#env, context);
  }

  /** Makes a change that was committed true everywhere. */
  readonly publish: Publish = async (change) => {
    const { publishIn } = await import('../verification/publish.ts');
    return publishIn(this.#env)(change);
  };

  /** What the operator's status says of the hubs. */
  async lookAtHubs() {
    const { lookAtHubs } = await import('../verification/look.ts');
    return lookAtHubs(this.#env);
  }

  /** What tells this deployment from another one. It asks nobody. */
  get id(): string {
    return deploymentIdOf(this.#env.CHANGE_HUB);
  }

  /** The database, for one request. */
  async openDatabase(): Promise<Db> {
    const { openDatabase } = await import('../database.ts');
    return openDatabase(this.#env);
  }

  get databaseKind(): 'd1' | 'libsql' {
    return this.settings.libsqlUrl === null ? 'd1' : 'libsql';
  }

  /** The size of the database in bytes. */
  async readDatabaseSize(db: Db): Promise<number> {
    const { readDatabaseSize } = await import('../database.ts');
    return readDatabaseSize(this.#env, db);
  }
}

function limitersOf(env: Env) {
  return {
    linksPerAddressAndClient: env.LINKS_PER_ADDRESS_AND_CLIENT,
    linksPerClient: env.LINKS_PER_CLIENT,
    signInsPerClient: env.SIGN_INS_PER_CLIENT,
    requestsPerNetwork: env.REQUESTS_PER_NETWORK,
    mutationsPerOrganisation: env.MUTATIONS_PER_ORGANISATION,
    activityPerMember: env.ACTIVITY_PER_MEMBER,
    failedLoginsPerClient: env.FAILED_LOGINS_PER_CLIENT,
  };
}

function upstreamOf({ UPSTREAM: bound }: Env, { upstreamOrigin: origin }: Settings): Upstream | null {
  if (bound !== undefined) return { origin: null, fetch: (call) => bound.fetch(call) };
  return origin === null ? null : { origin, fetch: (call) => fetch(call) };
}

function mailerOf({ EMAIL: bound }: Env, { signIn: { link } }: Settings): Mailer | null {
  return bound === undefined || link === null
    ? null
    : { send: (mail) => bound.send({ from: link.from, ...mail }) };
}
