// One call of the Worker: by HTTP, by RPC or by a schedule. It is made once, has the deployment that answers it, and collects the
// facts for the log. It is a class with private fields, because an object with a getter takes ten times as long to make.
import type { Deployment } from '../deployment/deployment.ts';
import type { Caller } from '../verification/caller.ts';
import { HttpCaller } from './caller.ts';
import type { Note } from './log.ts';

/** What a group of routes under Hono is given: `c.env.call`. */
export type CallEnv = { Bindings: { call: Call } };

/** Of a call by RPC, or of a run, which has no request. */
export const NO_REQUEST = new Request('https://no-host.invalid/');

/** The URL of a request to a local host, as the runtime writes it. */
const LOCAL_URL = /^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?\//;

export class Call {
  readonly request: Request;
  readonly deployment: Deployment;
  /** The same as `new URL(request.url).pathname`, which costs 1.4 µs: a Worker's `url` is always normalised and absolute. */
  readonly path: string;
  /** In ms of the epoch. */
  readonly startedAt = Date.now();
  /** The pattern of the route that answers, such as "/api/organisations/:organisation/tokens", for the log. */
  route = '*';
  /** Whether an event of this call may be on record: its cause was asked for (activity/cause.ts). */
  isOnRecord = false;
  readonly #context: Pick<ExecutionContext, 'waitUntil'>;
  #id: string | undefined;
  #caller: HttpCaller | undefined;
  #facts: Note | undefined;

  constructor(request: Request, context: Pick<ExecutionContext, 'waitUntil'>, deployment: Deployment) {
    this.request = request;
    this.deployment = deployment;
    this.#context = context;
    const { url } = request;
    // Past the scheme's own slashes: "https://" has eight characters, "http://" seven and a host of at least one.
    const start = url.indexOf('/', 8);
    const query = url.indexOf('?', start);
    this.path = query < 0 ? url.slice(start) : url.slice(start, query);
  }

  /** Cloudflare's own id where there is one, and the same wherever it is asked for. */
  get id(): string {
    return (this.#id ??= this.request.headers.get('cf-ray') ?? crypto.randomUUID());
  }

  /** The origin that the request was sent to. */
  get sentTo(): string {
    const { url } = this.request;
    return url.slice(0, url.indexOf('/', 8));
  }

  /** The same by https. */
  get secureSentTo(): string {
    return this.sentTo.replace(/^http:/, 'https:');
  }

  /**
   * The origin that this deployment calls itself by: in mails, redirects, problem types, documentation and as an issuer.
   * The first of ORIGINS; in local mode, and where the setting is missing, the request's own.
   */
  get origin(): string {
    return this.isLocal ? this.sentTo : (this.deployment.settings.origins.all[0] ?? this.secureSentTo);
  }

  /**
   * Whether local conveniences (a sign-in link in the answer, an http issuer) may be had: this needs both the setting and a local
   * host, so that a setting that leaks into production opens nothing there.
   */
  get isLocal(): boolean {
    return this.deployment.settings.isLocalMode && LOCAL_URL.test(this.request.url);
  }

  /**
   * Whether a browser opens this address as a page, for a person who reads no JSON. Programs and scripts of a page send no such
   * header, or another value.
   */
  get isNavigation(): boolean {
    return this.request.headers.get('sec-fetch-mode') === 'navigate';
  }

  get caller(): HttpCaller {
    return (this.#caller ??= new HttpCaller(this.request, this.path));
  }

  /** Where the call came in; workerd parses it when it is asked for. */
  get cf(): unknown {
    return this.request.cf;
  }

  /** What may outlive the answer. */
  waitUntil(promise: Promise<unknown>): void {
    this.#context.waitUntil(promise);
  }

  /** The context to verify the token of a caller who called another server, which asks here. */
  verifiedFor(caller: Caller) {
    return { caller, cf: this.cf, waitUntil: (promise: Promise<unknown>): void => this.waitUntil(promise) };
  }

  /** Adds facts for the log. The first object is kept without a copy, to make no new object. */
  note(more: Note): void {
    this.#facts = this.#facts === undefined ? more : { ...this.#facts, ...more };
  }

  get facts(): Note | undefined {
    return this.#facts;
  }
}
