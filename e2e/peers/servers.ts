// Servers that the tests put behind a gateway. Each starts on its own port, with its files in a folder of the test.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, type Child } from '../child.ts';

/** Whether a program of Debian's packages is on this machine; says loudly when it is not. */
export function isHere(program: string, debianPackage: string): boolean {
  const isThere = program.startsWith('/')
    ? existsSync(program)
    : spawnSync('sh', ['-c', `command -v "$0"`, program]).status === 0;
  if (!isThere) {
    console.warn(`\n*** SKIPPED: ${program} is not on this machine (apt-get install ${debianPackage}) ***\n`);
  }
  return isThere;
}

/** nginx with this text inside `http { … }`. Its temporary files and its process id stand in `folder`. */
export function startNginxWith(http: string, port: number, folder: string): Promise<Child> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name}-${port};`,
  );
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log stderr notice;
events {} http { access_log off; ${temporary.join(' ')} ${http} }`,
  );
  return startChild('nginx', ['-c', file, '-e', 'stderr'], /start worker process \d/);
}

/** Caddy with this Caddyfile, and `env` in its environment. */
export function startCaddyWith(
  sites: string,
  port: number,
  folder: string,
  env: Record<string, string> = {},
): Promise<Child> {
  const file = join(folder, `Caddyfile-${port}`);
  writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${sites}`);
  return startChild(
    'caddy',
    ['run', '--config', file, '--adapter', 'caddyfile'],
    /serving initial configuration/,
    { env: { ...env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } },
  );
}

const CATALINA = '/usr/share/tomcat10';
export const TOMCAT = `${CATALINA}/bin/bootstrap.jar`;

/** Tomcat 10 that serves the files of `root`. It scans no libraries, which takes half a minute on a busy machine. */
export function startTomcat(root: string, port: number, folder: string): Promise<Child> {
  const base = join(folder, `tomcat-${port}`);
  for (const name of ['conf', 'webapps', 'logs', 'temp', 'work']) {
    mkdirSync(join(base, name), { recursive: true });
  }
  writeFileSync(
    join(base, 'conf/server.xml'),
    `<Server port="-1"><Service name="Catalina"><Connector port="${port}" address="127.0.0.1"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps" autoDeploy="false">
<Context path="" docBase="${root}" containerSciFilter="."><JarScanner scanClassPath="false"/></Context>
</Host></Engine></Service></Server>`,
  );
  writeFileSync(
    join(base, 'conf/web.xml'),
    `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><servlet><servlet-name>default</servlet-name>
<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>
<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping></web-app>`,
  );
  return startChild(
    'java',
    [
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${TOMCAT}:${CATALINA}/bin/tomcat-juli.jar`,
      `-Dcatalina.home=${CATALINA}`,
      `-Dcatalina.base=${base}`,
      `-Djava.io.tmpdir=${base}/temp`,
      'org.apache.catalina.startup.Bootstrap',
      'start',
    ],
    /Server startup in/,
  );
}

/** PHP's own server on the files of `root`; `router`, if given, is a script that answers every call. */
export function startPhp(root: string, port: number, router?: string): Promise<Child> {
  const script = router === undefined ? [] : [router];
  return startChild(
    'php',
    ['-S', `127.0.0.1:${port}`, '-t', root, ...script],
    /Development Server .* started/,
  );
}
