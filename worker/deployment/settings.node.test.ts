import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { unstable_readConfig as readConfig } from 'wrangler';
import { readSettings } from './settings.ts';
import type { Env } from './env.ts';

it('keeps what a request holds out of logs and traces, in the cloud and on this machine', () => {
  const { observability } = readConfig({ config: 'wrangler.toml' });
  expect(observability).toMatchObject({
    redact_query_string: true,
    logs: { invocation_logs: false },
    traces: { enabled: false },
  });
  expect(readFileSync('scripts/dev.ts', 'utf8')).toContain("X_LOCAL_OBSERVABILITY: 'false'");
});

describe('the example of the secrets', () => {
  const example = parseEnv(readFileSync('.dev.vars.example', 'utf8'));
  const settings = {
    ...readConfig({ config: 'wrangler.toml' }).vars,
    TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
    TAG_KEY_CURRENT: '1',
  };
  // The settings that are looked at, all of them text; the bindings are not.
  const faultWith = (vars: object) => readSettings({ ...settings, ...vars } as unknown as Env).fault;

  it('asks for what a deployment cannot do without', () => {
    expect(new Set(Object.keys(example))).toEqual(
      new Set(['TAG_KEYS', 'TAG_KEY_CURRENT', 'OPERATOR_SECRET']),
    );
    expect(
      faultWith({ ...example, OPERATOR_SECRET: 'x'.repeat(32), TAG_KEYS: settings.TAG_KEYS }),
    ).toBeNull();
  });

  it.each(['TAG_KEYS', 'OPERATOR_SECRET'])('is refused where %s is deployed as it stands', (name) => {
    expect(faultWith({ [name]: example[name] })).toContain(`${name}: `);
  });
});

describe('an issuer of Microsoft', () => {
  const tenant = '6babcaad-604b-40ac-a9d7-9fd97c0b779f';
  const settings = {
    ...readConfig({ config: 'wrangler.toml' }).vars,
    TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
    TAG_KEY_CURRENT: '1',
    OIDC_CLIENT_ID: 'zone',
  };
  const faultOfIssuer = (issuer: string) =>
    readSettings({ ...settings, OIDC_ISSUER: issuer } as unknown as Env).fault;

  it.each([
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://login.microsoftonline.com/consumers/v2.0',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    'https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0',
    'https://login.microsoftonline.com/{tenantid}/v2.0',
    'https://login.microsoftonline.us/common/v2.0',
    'https://LOGIN.microsoftonline.com/Common',
    'https://sts.windows.net/common/',
    'https://contoso.ciamlogin.com/',
  ])('is refused at the start where it names no tenant, or many: %s', (issuer) => {
    expect(faultOfIssuer(issuer)).toBe('OIDC_ISSUER: not the issuer of one tenant, named by its id');
  });

  it.each([
    `https://login.microsoftonline.com/${tenant}/v2.0`,
    `https://sts.windows.net/${tenant.toUpperCase()}/`,
    `https://${tenant}.ciamlogin.com/${tenant}/v2.0`,
    'https://issuer.example/common/v2.0',
  ])('is taken where it names one: %s', (issuer) => {
    expect(faultOfIssuer(issuer)).toBeNull();
  });
});

describe('a provider for single sign-on', () => {
  const settings = {
    ...readConfig({ config: 'wrangler.toml' }).vars,
    TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
    TAG_KEY_CURRENT: '1',
    OIDC_ISSUER: 'https://issuer.example',
    OIDC_CLIENT_ID: 'zone',
  };
  // The settings that are looked at, all of them text; the bindings are not.
  const read = (vars: object) => readSettings({ ...settings, ...vars } as unknown as Env);

  it.each([
    [{ OIDC_CLIENT_ID: '' }, 'OIDC_CLIENT_ID: not set'],
    [{ OIDC_CLIENT_ID: undefined }, 'OIDC_CLIENT_ID: not set'],
    [{ OIDC_ISSUER: 'issuer' }, 'OIDC_ISSUER: not a URL'],
    [{ OIDC_ISSUER: 'http://issuer.example' }, 'OIDC_ISSUER: not https'],
    [{ OIDC_ISSUER: 'http://localhost:1' }, 'OIDC_ISSUER: not https'],
    [{ OIDC_ISSUER: 'https://issuer.example?tenant=1' }, 'OIDC_ISSUER: a URL with a query'],
    [{ OIDC_ISSUER: 'https://issuer.example#1' }, 'OIDC_ISSUER: a URL with a query or a fragment'],
    [{ OIDC_EMAIL_TRUSTED: 'yes' }, 'OIDC_EMAIL_TRUSTED: neither "1" nor "0"'],
  ])('that cannot be used is a fault of the deployment, before a person signs in: %j', (vars, fault) => {
    expect(read(vars).fault).toContain(fault);
    expect(read(vars).settings.signIn.oidc).toBeNull();
  });

  it('is read once, with what it is to this deployment', () => {
    expect(read({ OIDC_EMAIL_TRUSTED: '1' }).settings.signIn.oidc).toMatchObject({
      clientId: 'zone',
      clientSecret: '',
      isEmailTrusted: true,
      name: 'single sign-on',
    });
    expect(read({ OIDC_ISSUER: undefined, OIDC_CLIENT_ID: undefined })).toMatchObject({
      fault: null,
      settings: { signIn: { oidc: null } },
    });
  });
});
