import { describe, expect, it } from 'vitest';
import { bearer, call, givenOrganisation, givenToken } from '../test/harness.ts';

describe('GET /v1/ping', () => {
  it('answers a good token with the organisation and the token that called', async () => {
    const organisationId = await givenOrganisation();
    const token = await givenToken(organisationId);
    const answer = await call('/v1/ping', { headers: bearer(token.secret) });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok', organisationId, tokenId: token.id });
  });

  it('refuses an inactive token with 401', async () => {
    const token = await givenToken(await givenOrganisation(), false);
    const answer = await call('/v1/ping', { headers: bearer(token.secret) });
    expect(answer.status).toBe(401);
  });
});
