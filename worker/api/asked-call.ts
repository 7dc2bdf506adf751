// The call that a gateway holds while it asks forward-auth, as its headers tell it. Headers of different gateways must agree: one
// of them may be the caller's own.
import type { Call } from '../http/call.ts';
import { traitsOf } from '../http/caller.ts';
import type { Traits } from '../token/callers.ts';
import { isSameByDigest } from '../token/secret.ts';
import { NO_ORIGIN } from '../verification/caller.ts';
import type { Caller } from '../verification/caller.ts';
import { plainPathOf } from './path.ts';

/** The path at which a gateway asks. */
export const VERIFY = '/verify';
/** Envoy sends the call's own method, and its path behind this one. */
const BEHIND = `${VERIFY}/`;
/** The headers that tell the call; of two, a gateway sends either. */
export const METHOD_HEADERS = ['X-Original-Method', 'X-Forwarded-Method'] as const;
export const PATH_HEADERS = ['X-Original-URI', 'X-Forwarded-Uri'] as const;
export const ADDRESS_HEADER = 'X-Client-IP';
export const SECRET_HEADER = 'X-Verify-Secret';

/** The call that the gateway holds; everything is read when it is asked for. */
export class AskedCall implements Caller {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  get method(): string | null {
    return this.#method.value;
  }

  get path(): string | null {
    return this.#path.value;
  }

  /** Why method or path are not known, as a sentence that names the header; null where they are. */
  get wrong(): string | null {
    const wrong = [this.#method.wrong, this.#path.wrong].filter((sentence) => sentence !== null);
    return wrong.length === 0 ? null : wrong.join('. ');
  }

  /** Only a gateway that proves itself is believed who calls: anybody can send such a header. */
  get address(): string | null {
    const { verifySecret } = this.#call.deployment.settings;
    const { headers } = this.#call.request;
    const given = headers.get(SECRET_HEADER);
    if (verifySecret === null || given === null) return null;
    return isSameByDigest(verifySecret, given) ? headers.get(ADDRESS_HEADER) : null;
  }

  /** A gateway that does not say which call it holds may not send the website either. */
  get origin(): string | typeof NO_ORIGIN | null {
    const origin = this.#call.request.headers.get('origin');
    return origin ?? (this.#method.value === null ? null : NO_ORIGIN);
  }

  /** The caller's own network is not known. */
  get traits(): Traits {
    return traitsOf(this.#call.cf, 'via gateway');
  }

  get #method(): Told {
    const { request, path } = this.#call;
    const told = readAgreeing(
      request.headers,
      METHOD_HEADERS,
      path.startsWith(BEHIND) ? request.method : null,
    );
    return told.value === null ? told : { ...told, value: told.value.toUpperCase() };
  }

  get #path(): Told {
    const { request, path } = this.#call;
    const behind = path.startsWith(BEHIND) ? path.slice(BEHIND.length - 1) : null;
    const told = readAgreeing(request.headers, PATH_HEADERS, behind);
    if (told.value === null) return told;
    const value = plainPathOf(told.value);
    if (value !== null) return { ...told, value };
    return { value, wrong: `Header "${PATH_HEADERS[0]}": not a path that every server reads alike` };
  }
}

type Told = { value: string | null; wrong: string | null };

/** What all of these headers that are there say, and `other` where it is not null. */
function readAgreeing(headers: Headers, names: readonly string[], other: string | null): Told {
  const values = [...names.map((name) => headers.get(name)), other].filter((value) => value !== null);
  const [value = null] = values;
  if (value === null)
    return {
      value,
      wrong: `Header "${names[0]}": missing. The token is limited, and the gateway must send it`,
    };
  return values.every((each) => each === value)
    ? { value, wrong: null }
    : { value: null, wrong: `Headers "${names.join('" and "')}": they differ` };
}
