// Apache with mod_auth_openidc as an OAuth 2.0 resource server: a client of /introspect from another project.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild, type Child } from '../child.ts';
import { startDeployment, type Deployment } from '../deployment.ts';
import { call } from '../raw.ts';
import { freePort } from '../server.ts';

const MODULES = '/usr/lib/apache2/modules';
const CLIENT = 'apache';
// In the form of `openssl rand -base64`.
const SECRET = 'kXv+9/4aZq0dL1Yw+Rr2/c8TqP3uVbN5sFhJmG7eDxA=';

const isHere =
  existsSync(`${MODULES}/mod_auth_openidc.so`) && spawnSync('openssl', ['version']).error === undefined;
if (!isHere) {
  console.warn(
    '\n*** SKIPPED: mod_auth_openidc is not on this machine (apt-get install apache2 libapache2-mod-auth-openidc openssl) ***\n',
  );
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(port, '127.0.0.1', () => done(true));
    probe.once('error', () => done(false));
    probe.once('connect', () => probe.destroy());
  });
}

describe.runIf(isHere)('Apache with mod_auth_openidc', () => {
  const folder = mkdtempSync(join(tmpdir(), 'apache-'));
  let zone: Deployment;
  const apaches: Child[] = [];
  /** The module needs https, so this tunnel removes the TLS. */
  let tunnel: Server;

  beforeAll(async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names], { stdio: 'pipe' });
    tunnel = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
      const behind = connect(Number(new URL(zone.origin).port), '127.0.0.1');
      socket.on('error', () => behind.destroy());
      behind.on('error', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((done) => {
      tunnel.listen(0, '127.0.0.1', done);
    });
    zone = await startDeployment({ INTROSPECTION_CLIENTS: JSON.stringify({ [CLIENT]: SECRET }) });
  });
  afterAll(async () => {
    for (const apache of apaches) await apache.stop();
    tunnel?.close();
    await zone?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startApache(method: string): Promise<string> {
    const port = await freePort();
    const loaded = [
      'mpm_event',
      'authn_core',
      'authz_core',
      'authz_user',
      'headers',
      'auth_openidc',
      'dir',
      'mime',
    ];
    writeFileSync(join(folder, 'index.html'), 'in');
    writeFileSync(
      join(folder, `${method}.conf`),
      `${loaded.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/${method}.pid
Mutex file:${folder} default
ErrorLog ${folder}/${method}.log
LogLevel notice
TypesConfig /etc/mime.types
DocumentRoot ${folder}
DirectoryIndex index.html
OIDCCryptoPassphrase made-up-for-these-tests
OIDCCacheType file
OIDCCacheDir ${folder}
OIDCOAuthIntrospectionEndpoint https://127.0.0.1:${(tunnel.address() as AddressInfo).port}/introspect
OIDCOAuthSSLValidateServer Off
OIDCOAuthIntrospectionEndpointAuth ${method}
OIDCOAuthClientID ${CLIENT}
OIDCOAuthClientSecret "${SECRET}"
OIDCOAuthRemoteUserClaim sub
OIDCOAuthTokenIntrospectionInterval 0
<Location />
  AuthType oauth20
  Require valid-user
  Header always set X-User "expr=%{REMOTE_USER}"
</Location>
`,
    );
    // Apache opens its log by name, and our pipe has no name.
    const start = `echo starting; exec apache2 -X -f ${folder}/${method}.conf`;
    apaches.push(await startChild('sh', ['-c', start], /starting/));
    await expect.poll(() => isOpen(port), { timeout: 30_000 }).toBe(true);
    return `http://127.0.0.1:${port}`;
  }

  it.each(['client_secret_basic', 'client_secret_post'])(
    'identifies the caller by %s, with a secret of every base64 character',
    async (method) => {
      const origin = await startApache(method);
      const { organisation, secret } = await zone.givenToken();
      const good = await call(origin, { headers: { authorization: `Bearer ${secret}` } });
      expect([good.status, good.body, good.headers['x-user']]).toEqual([200, 'in', organisation]);
      const bad = await call(origin, { headers: { authorization: 'Bearer made-up' } });
      expect(bad.status).toBe(401);
    },
  );
});
