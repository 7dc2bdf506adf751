// The part of oidc-provider that the tests use; the package has no types.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  type Configuration = {
    clients: { client_id: string; client_secret: string; redirect_uris: string[] }[];
    claims: Record<string, string[]>;
    findAccount(context: unknown, id: string): { accountId: string; claims(): Record<string, unknown> };
  };
  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): RequestListener;
  }
}
