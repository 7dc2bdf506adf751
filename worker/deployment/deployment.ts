// The deployment that an isolate runs: its settings, read once, and its ports to what Cloudflare binds to it. No file outside
// this folder reads `env`.
import type { Db } from '../database.ts';
import { logMisconfigured } from '../http/log.ts';
import type { Publish } from '../organisation/store.ts';
import { FOREIGN_FAULT, deploymentIdOf } from '../verification/ownership.ts';
import type { HubSource } from '../verification/record.ts';
import type { Hubs } from '../verification/region.ts';
import { openSource } from '../verification/source/hub-source.ts';
import { openLookups } from '../verification/source/source.ts';
import type { Databases } from '../verification/source/source.ts';
import { verifyWith } from '../verification/verify.ts';
import type { Verify } from '../verification/verify.ts';
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

/** The upstream API. */
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
  /** False while VERIFY_HOST has a fault. Any host may be the one of forward-auth then, where a 200 accepts a call. */
  readonly isVerifyHostKnown: boolean;
  readonly limiters: ReturnType<typeof limitersOf>;
  readonly upstream: Upstream | null;
  /** Null where no mail can be sent: there is no binding, or no address of a sender. */
  readonly mailer: Mailer | null;
  /** The files of the dashboard. */
  readonly assets: Pick<Fetcher, 'fetch'>;
  /** Which version of the Worker runs. */
  readonly version: WorkerVersionMetadata;
  /** Whether this secret may call. Rejects if the settings have a fault, because no answer would be reliable. */
  readonly verify: Verify;
  readonly #readId: () => string;
  readonly #databases: Databases;
  readonly #hubs: Hubs;
  readonly #cache: Pick<KVNamespace, 'get' | 'put' | 'delete'> | null;
  readonly #settingsFault: string | null;
  #fault: string | null;
  #isReported = false;

  constructor(env: Env) {
    const { settings, fault, isVerifyHostKnown } = readSettings(env);
    this.isVerifyHostKnown = isVerifyHostKnown;
    this.settings = settings;
    this.#settingsFault = fault;
    this.#fault = fault;
    this.limiters = limitersOf(env);
    this.upstream = upstreamOf(env, settings);
    this.mailer = mailerOf(env, settings);
    this.assets = env.ASSETS;
    this.version = env.VERSION;
    this.#readId = () => deploymentIdOf(env.CHANGE_HUB);
    const { jurisdiction, libsqlUrl } = settings;
    const libsql = libsqlUrl === null ? null : { url: libsqlUrl, authToken: env.LIBSQL_AUTH_TOKEN };
    this.#databases = { d1: env.DB, libsql };
    this.#hubs = { namespace: env.CHANGE_HUB, epoch: settings.databaseEpoch, jurisdiction };
    // KV has copies all over the world, and cannot be limited to a jurisdiction.
    this.#cache = jurisdiction === null ? env.TOKEN_CACHE : null;
    const verify = verifyWith({
      hubs: this.#hubs,
      lookups: openLookups(this.#databases),
      cache: this.#cache,
      keys: settings.tagKeys,
      leaseMs: settings.leaseMs,
      isRead: settings.isRead,
      refuse: () => this.#refuse(),
      failed: (asked, error, place) =>
        void import('../verification/report.ts').then(({ logFailed }) => logFailed(asked, error, place)),
    });
    this.verify = fault === null ? verify : () => Promise.reject(new Error(fault));
  }

  /** From here on every request to this isolate is answered with the fault: the database belongs to another deployment. */
  #refuse(): void {
    this.#fault = FOREIGN_FAULT;
  }

  /** What is wrong with the deployment, as one sentence, or null. A hub may tell it later (verification/ownership.ts). */
  get fault(): string | null {
    return this.#fault;
  }

  /** Logs the fault, once. */
  reportFault(fault: string): void {
    if (this.#isReported) return;
    this.#isReported = true;
    logMisconfigured(fault);
  }

  /** Publishes a committed change. */
  readonly publish: Publish = async (change) => {
    const { publishTo } = await import('../verification/publish.ts');
    return publishTo(
      {
        hubs: this.#hubs,
        cache: this.#cache,
        ...leasesToWaitFor(this.settings),
        refuse: () => this.#refuse(),
      },
      change,
    );
  };

  /** The state of the hubs, for the operator's status. */
  async lookAtHubs() {
    const { lookAtHubs } = await import('../verification/every-hub.ts');
    return lookAtHubs(this.#hubs);
  }

  /** Makes every hub write its counts, and answers whether all hubs have. */
  async haveHubsWrite(): Promise<boolean> {
    const { haveHubsWrite } = await import('../verification/every-hub.ts');
    return haveHubsWrite(this.#hubs);
  }

  /** The id of this deployment. Sends no request. */
  get id(): string {
    return this.#readId();
  }

  /** The reads and writes of a hub. Throws if the settings have a fault, because they might mean another database. */
  openSource(): HubSource {
    if (this.#settingsFault !== null) throw new Error(this.#settingsFault);
    return openSource(this.#databases);
  }

  /** The database, for one request. */
  async openDatabase(): Promise<Db> {
    const { openDatabase } = await import('./database.ts');
    return openDatabase(this.#databases);
  }

  get databaseKind(): 'd1' | 'libsql' {
    return this.settings.libsqlUrl === null ? 'd1' : 'libsql';
  }

  /** The size of the database in bytes. */
  async readDatabaseSize(db: Db): Promise<number> {
    const { readDatabaseSize } = await import('./database.ts');
    return readDatabaseSize(this.#databases, db);
  }
}

/**
 * The leases that a change waits for, in ms. If a deployment shortened them, isolates of the deployment before may still have the
 * longer ones.
 */
export function leasesToWaitFor(
  settings: Pick<Settings, 'leaseMs' | 'leaseMsBefore' | 'hubLeaseMs' | 'hubLeaseMsBefore'>,
): { leaseMs: number; hubLeaseMs: number } {
  return {
    leaseMs: Math.max(settings.leaseMs, settings.leaseMsBefore),
    hubLeaseMs: Math.max(settings.hubLeaseMs, settings.hubLeaseMsBefore),
  };
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

function mailerOf({ EMAIL: bound }: Env, { mailFrom: from }: Settings): Mailer | null {
  return bound === undefined || from === null ? null : { send: (mail) => bound.send({ from, ...mail }) };
}
