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
    [{ OIDC_ISSUER: 'https://user@issuer.example' }, 'OIDC_ISSUER: a URL with a user or a password'],
    [{ OIDC_ISSUER: 'https://:word@issuer.example' }, 'OIDC_ISSUER: a URL with a user or a password'],
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
    expect(read({ OIDC_NAME: '' }).settings.signIn.oidc?.name).toBe('single sign-on');
    expect(read({ OIDC_NAME: 'Acme' }).settings.signIn.oidc?.name).toBe('Acme');
    expect(read({ OIDC_ISSUER: undefined, OIDC_CLIENT_ID: undefined })).toMatchObject({
      fault: null,
      settings: { signIn: { oidc: null } },
    });
  });
});

describe('the sender of mails', () => {
  // The settings that are looked at, all of them text; the bindings are not.
  const read = (from: string) =>
    readSettings({
      ...readConfig({ config: 'wrangler.toml' }).vars,
      TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
      TAG_KEY_CURRENT: '1',
      EMAIL_FROM: from,
    } as unknown as Env);

  it.each(['zone@example.com', 'Zone@Example.com', 'The Zone <zone@example.com>'])('may be %s', (from) => {
    expect(read(from)).toMatchObject({ fault: null, settings: { mailFrom: from } });
  });

  it.each(['foo', '@example.com', 'zone@', ' zone@example.com', 'zone@a@b', 'Zone <zone@example.com', '<>'])(
    'is a fault of the deployment, before a link is asked for, where it is no address: "%s"',
    (from) => {
      expect(read(from)).toMatchObject({
        fault: 'EMAIL_FROM: not an e-mail address',
        settings: { mailFrom: null },
      });
    },
  );
});

it.each([
  ['https://user@keys.example/', 'GITHUB_KEYS_URL: a URL with a user or a password'],
  ['https://:word@keys.example/', 'GITHUB_KEYS_URL: a URL with a user or a password'],
  ['http://keys.example/', 'GITHUB_KEYS_URL: not an https URL'],
])("an address of GitHub's keys that cannot be asked is a fault of the deployment: %s", (url, fault) => {
  const settings = {
    ...readConfig({ config: 'wrangler.toml' }).vars,
    TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
    TAG_KEY_CURRENT: '1',
    GITHUB_KEYS_URL: url,
  };
  // The settings that are looked at, all of them text; the bindings are not.
  expect(readSettings(settings as unknown as Env)).toMatchObject({
    fault,
    settings: { githubKeysUrl: null },
  });
});

describe('the webhook', () => {
  const key = (length: number) => `whsec_${Buffer.alloc(length, 7).toString('base64')}`;
  const settings = {
    ...readConfig({ config: 'wrangler.toml' }).vars,
    TAG_KEYS: JSON.stringify({ 1: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' }),
    TAG_KEY_CURRENT: '1',
    WEBHOOK_URL: 'https://receiver.example/hook?key=of-the-receiver',
    WEBHOOK_SECRET: key(24),
  };
  // The settings that are looked at, all of them text; the bindings are not.
  const read = (vars: object) => readSettings({ ...settings, ...vars } as unknown as Env);

  it('is off without a URL, whatever secrets are left', () => {
    for (const url of ['', undefined])
      expect(read({ WEBHOOK_URL: url, WEBHOOK_SECRET: 'x' })).toMatchObject({
        fault: null,
        settings: { webhook: null },
      });
  });

  it('signs with one key, or with two while the secret is replaced', () => {
    const { webhook } = read({ WEBHOOK_SECRET_NEXT: key(64) }).settings;
    expect(webhook?.keys.map(({ length }) => length)).toEqual([24, 64]);
    expect(read({}).settings.webhook?.keys.map(({ length }) => length)).toEqual([24]);
    expect(webhook).toMatchObject({ url: settings.WEBHOOK_URL, shownUrl: 'https://receiver.example/hook' });
  });

  it.each([
    ['receiver', 'not a URL'],
    ['http://receiver.example/', 'not https'],
    ['http://127.0.0.1:9000/', 'not https'],
    ['ftp://receiver.example/', 'not https'],
    ['https://user@receiver.example/', 'has a user'],
    ['https://:word@receiver.example/', 'has a user'],
    ['https://receiver.example/#part', 'has a user'],
    ['https://10.1.2.3/', 'names an address'],
    ['https://127.0.0.1/', 'names an address'],
    ['https://2130706433/', 'names an address'],
    ['https://0x7f.1/', 'names an address'],
    ['https://169.254.169.254/latest/meta-data', 'names an address'],
    ['https://198.51.100.7/', 'names an address'],
    ['https://[::1]/', 'names an address'],
    ['https://[fd00::1]/', 'names an address'],
    ['https://[::ffff:10.0.0.1]/', 'names an address'],
    ['https://10.1.2.3./', 'names an address'],
    ['https://10.1.2.3../', 'names an address'],
    ['https://localhost/', 'names a host of a private network'],
    ['https://localhost./', 'names a host of a private network'],
    ['https://localhost../', 'names a host of a private network'],
    ['https://localhost.localdomain/', 'names a host of a private network'],
    ['https://metadata/', 'names a host of a private network'],
    ['https://a.localhost/', 'names a host of a private network'],
    ['https://printer.local/', 'names a host of a private network'],
    ['https://metadata.google.internal/', 'names a host of a private network'],
    ['https://METADATA.google.INTERNAL./', 'names a host of a private network'],
    ['https://router.home.arpa/', 'names a host of a private network'],
    ['https://wiki.corp/', 'names a host of a private network'],
  ])('may not lead to %s', (url, reason) => {
    const { fault, settings: found } = read({ WEBHOOK_URL: url });
    expect(fault).toContain(`WEBHOOK_URL: ${reason}`);
    expect(found.webhook).toBeNull();
  });

  it('may be on this machine by http in local mode', () => {
    for (const url of ['http://localhost:9000/hook', 'http://127.0.0.1:9000/hook'])
      expect(read({ WEBHOOK_URL: url, LOCAL_MODE: '1' }).fault).toBeNull();
    expect(read({ WEBHOOK_URL: 'http://10.0.0.1/', LOCAL_MODE: '1' }).fault).toContain('not https');
  });

  it.each([
    ['WEBHOOK_SECRET', '', 'not set'],
    ['WEBHOOK_SECRET', undefined, 'not set'],
    ['WEBHOOK_SECRET', key(23), 'not whsec_ and 24 to 64 bytes'],
    ['WEBHOOK_SECRET', key(65), 'not whsec_ and 24 to 64 bytes'],
    ['WEBHOOK_SECRET', key(32).slice(6), 'not whsec_ and 24 to 64 bytes'],
    ['WEBHOOK_SECRET', `${key(32)}!`, 'not whsec_ and 24 to 64 bytes'],
    ['WEBHOOK_SECRET', key(32).replace('=', ''), 'not whsec_ and 24 to 64 bytes'],
    ['WEBHOOK_SECRET_NEXT', 'a secret that is not in base64', 'not whsec_ and 24 to 64 bytes'],
  ])('needs a key: %s %j', (name, value, reason) => {
    const { fault, settings: found } = read({ [name]: value });
    expect(fault).toContain(`${name}: ${reason}`);
    expect(found.webhook).toBeNull();
  });

  it('is not told with its fault, nor is its key', () => {
    const bad = { WEBHOOK_SECRET: key(23), WEBHOOK_URL: 'https://receiver.example/hook?key=of#it' };
    expect(read({ WEBHOOK_SECRET: bad.WEBHOOK_SECRET }).fault).not.toContain(bad.WEBHOOK_SECRET.slice(6));
    expect(read({ WEBHOOK_URL: bad.WEBHOOK_URL }).fault).not.toContain('receiver');
  });
});
