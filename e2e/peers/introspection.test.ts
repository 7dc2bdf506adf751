// RFC 7662 with two clients of other projects.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDeployment, type Deployment } from '../deployment.ts';
import type { GivenToken } from '../member.ts';

// Characters that form-encoding (RFC 6749 section 2.3.1) changes: a space, a colon, a plus, a percent sign, a letter beyond ASCII.
const CLIENT = 'Läufer: results+1';
const SECRET = 'a client secret: 100% made up, for these tests + no others';

type Tell = (secret: string, client?: string, clientSecret?: string) => Promise<object>;

let zone: Deployment;
let token: GivenToken;
let server: { issuer: string; introspection_endpoint: string };

beforeAll(async () => {
  zone = await startDeployment({ INTROSPECTION_CLIENTS: JSON.stringify({ [CLIENT]: SECRET }) });
  token = await zone.givenToken();
  server = { issuer: zone.origin, introspection_endpoint: `${zone.origin}/introspect` };
});
afterAll(() => zone?.stop());

const withOauth4webapi: Tell = async (secret, client = CLIENT, clientSecret = SECRET) => {
  const known = { client_id: client };
  const answer = await oauth.introspectionRequest(
    server,
    known,
    oauth.ClientSecretBasic(clientSecret),
    secret,
    { [oauth.allowInsecureRequests]: true },
  );
  return oauth.processIntrospectionResponse(server, known, answer);
};

const withOpenidClient: Tell = async (secret, client = CLIENT, clientSecret = SECRET) => {
  const configuration = new openid.Configuration(
    server,
    client,
    undefined,
    openid.ClientSecretBasic(clientSecret),
  );
  openid.allowInsecureRequests(configuration);
  return openid.tokenIntrospection(configuration, secret);
};

describe.for([
  ['oauth4webapi', withOauth4webapi],
  ['openid-client', withOpenidClient],
] as const)('%s', ([, tell]) => {
  it('learns the organisation of an active token, and only "not active" about an inactive one', async () => {
    const active = {
      active: true,
      sub: token.organisation,
      client_id: token.id,
      token_type: 'Bearer',
      scope: 'full',
      iss: zone.origin,
      iat: expect.closeTo(Date.now() / 1000, -3),
    };
    expect(await tell(token.secret)).toEqual(active);
    await zone.write('PATCH', token.path, { active: false });
    expect(await tell(token.secret)).toEqual({ active: false });
    await zone.write('PATCH', token.path, { active: true });
    expect(await tell(token.secret)).toEqual(active);
  });

  it('learns only "not active" about a token of an organisation off Enterprise, and about a made-up token', async () => {
    const other = await zone.givenToken();
    await zone.write('PUT', `/operator/organisations/${other.organisation}`, { name: 'Acme', plan: 'trial' });
    for (const secret of [other.secret, 'no-token', '9pé & = %']) {
      expect(await tell(secret)).toEqual({ active: false });
    }
  });

  it('gets 401 with wrong client credentials', async () => {
    await expect(tell(token.secret, CLIENT, `${SECRET}x`)).rejects.toMatchObject({ status: 401 });
    await expect(tell(token.secret, 'somebody', SECRET)).rejects.toMatchObject({ status: 401 });
  });
});
