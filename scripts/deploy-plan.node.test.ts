// The flags and settings of a deployment, and those that it refuses before it sends a request.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planDeployment } from './deploy-plan.ts';
import { stagingOf } from './staging.ts';

const toml = readFileSync(resolve(import.meta.dirname, '../wrangler.toml'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plan(flags: string[], settings: string = toml) {
  writeFileSync(join(folder, 'wrangler.toml'), settings);
  return planDeployment(folder, flags);
}

const withSetting = (name: string, value: string): string =>
  toml.replace(new RegExp(`^${name} = .*$`, 'm'), `${name} = "${value}"`);

describe('a deployment', () => {
  it('uses the top of wrangler.toml, and passes harmless flags on', () => {
    expect(plan(['--secrets-file', 's.json', '--message', 'a b', '--dry-run'])).toEqual({
      ok: true,
      plan: {
        worker: 'developer-zone',
        database: { name: 'developer-zone', id: undefined },
        environment: [],
        flags: ['--secrets-file', 's.json', '--message', 'a b', '--dry-run'],
        isDryRun: true,
        secretsFile: 's.json',
        libsqlUrl: '',
        place: [],
        jurisdiction: '',
        namespaceTitle: 'developer-zone-token-cache',
        hasOrigins: false,
      },
    });
  });

  it.each([
    ['wrangler.toml', [], withSetting('ORIGINS', 'https://zone.example')],
    ['--var', ['--var', 'ORIGINS:https://zone.example'], toml],
  ])('knows its own addresses from %s', (_, flags, settings) => {
    expect(plan(flags, settings)).toMatchObject({ ok: true, plan: { hasOrigins: true } });
  });

  it('knows from a variable that its database is libSQL', () => {
    expect(plan(['--var', 'LIBSQL_URL:libsql://a.example'])).toMatchObject({
      ok: true,
      plan: { libsqlUrl: 'libsql://a.example' },
    });
  });

  it.each([['--env', 'staging'], ['--env=staging'], ['-e', 'staging']])(
    'uses the environment of %s',
    (...flags) => {
      const planned = plan(flags, toml + stagingOf(toml));
      expect(planned).toMatchObject({
        ok: true,
        plan: {
          worker: 'developer-zone-staging',
          database: { name: 'developer-zone-staging' },
          environment: ['--env', 'staging'],
          namespaceTitle: 'developer-zone-staging-token-cache',
        },
      });
    },
  );

  it.each([
    ['D1_LOCATION', 'weur', ['--location', 'weur']],
    ['JURISDICTION', 'eu', ['--jurisdiction', 'eu']],
  ])('makes its database where %s = "%s" says', (name, value, place) => {
    expect(plan([], withSetting(name, value))).toMatchObject({ ok: true, plan: { place } });
    expect(plan(['--var', `${name}:${value}`])).toMatchObject({ ok: true, plan: { place } });
  });
});

describe('a deployment is refused', () => {
  it.each([
    [['--name', 'other'], "Unknown option '--name'"],
    [['--config', 'other.toml'], "Unknown option '--config'"],
    [['-c', 'other.toml'], "Unknown option '-c'"],
    [['--dispatch-namespace', 'n'], "Unknown option '--dispatch-namespace'"],
    [['worker/other.ts'], 'Unexpected argument'],
    [['--env', 'nowhere'], 'wrangler.toml has no [env.nowhere]'],
    [['--env', 'a.b'], 'not the name of an environment'],
  ])('with %s', (flags, reason) => {
    expect(plan(flags)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  it.each([
    ['the database', { database: 'developer-zone' }, 'the same database, developer-zone'],
    ['a counter', { firstNamespace: 9001 }, 'counts under namespace_id 9002'],
  ])('when an environment shares %s of the deployment at the top', (_, own, reason) => {
    const settings = toml + stagingOf(toml, own);
    expect(plan(['--env', 'staging'], settings)).toEqual({
      ok: false,
      reason: expect.stringContaining(reason),
    });
  });

  it.each([
    [
      'a limit',
      /^\[\[env\.staging\.ratelimits\]\]\nname = "LINKS_PER_CLIENT"\n.*\n.*\n/m,
      'LINKS_PER_CLIENT',
    ],
    ['the cache', '[[env.staging.kv_namespaces]]\nbinding = "TOKEN_CACHE"\n', 'TOKEN_CACHE'],
    ['the version', '[env.staging.version_metadata]\nbinding = "VERSION"\n', 'VERSION'],
    ['a variable', /^HUB_LEASE_MS = .*\n/m, 'HUB_LEASE_MS'],
  ])('when an environment lacks %s, which wrangler does not hand on to it', (_, part, name) => {
    const staging = stagingOf(toml);
    expect(staging.replace(part, '')).not.toBe(staging);
    expect(plan(['--env', 'staging'], toml + staging.replace(part, ''))).toEqual({
      ok: false,
      reason: expect.stringContaining(`has no ${name}, `),
    });
  });

  it.each([
    ['the mail', '[[send_email]]\nname = "EMAIL"\n', 'EMAIL'],
    ['the API behind it', '[[services]]\nbinding = "UPSTREAM"\nservice = "api"\n', 'UPSTREAM'],
  ])('when an environment lacks %s that the top has', (_, part, name) => {
    const settings = toml + part + stagingOf(toml);
    expect(plan(['--env', 'staging'], settings)).toEqual({
      ok: false,
      reason: expect.stringContaining(`has no ${name}, `),
    });
    const own = part.replace('[[', '[[env.staging.');
    expect(plan(['--env', 'staging'], settings + own)).toMatchObject({ ok: true });
  });

  it.each(['D1_LOCATION', 'JURISDICTION'])('with an unknown %s', (name) => {
    expect(plan([], withSetting(name, 'mars'))).toEqual({
      ok: false,
      reason: expect.stringContaining(`${name}: not one of`),
    });
  });

  it('with a location and a jurisdiction at once, of which Cloudflare would ignore one', () => {
    const settings = withSetting('D1_LOCATION', 'weur').replace('JURISDICTION = ""', 'JURISDICTION = "eu"');
    expect(plan([], settings)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('one of them alone'),
    });
  });

  it('with the old setting D1_JURISDICTION, which named only the place of the database', () => {
    expect(plan([], `${toml.replace('[vars]', '[vars]\nD1_JURISDICTION = "eu"')}`)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('its name is JURISDICTION now'),
    });
  });

  it('with the hubs of another Worker', () => {
    const settings = toml.replace(
      'class_name = "ChangeHub"',
      'class_name = "ChangeHub"\nscript_name = "other"',
    );
    expect(plan([], settings)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('CHANGE_HUB: script_name is other'),
    });
  });
});
