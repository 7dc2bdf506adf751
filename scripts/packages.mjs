// Runs before every npm script, on any version of Node. It says in one line why the script cannot run: Node is too old, or the
// packages are missing. Without it, npm on an old Node omits packages without a message, and a tool fails later.
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { engines } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
// The Node that runs npm chose the packages. The Node that runs this file may be the one from the packages.
const version =
  / node\/v(\S+)/.exec(process.env['npm_config_user_agent'] ?? '')?.[1] ?? process.versions.node;

if (!engines.node.split('||').some((range) => isWithin(version, range.trim()))) {
  fail(
    `Node ${version} cannot install these packages (needed: ${engines.node}). Update Node, then run: npm ci`,
  );
} else if (!existsSync(new URL('node_modules/vite/package.json', root))) {
  fail('The packages are not installed here. Run: npm ci');
}

/** Whether a version is within one part of `engines.node`: "^20.19.0" or ">=22.12.0". */
function isWithin(text, range) {
  const [, kind, least] = /^(\^|>=)(\d+\.\d+\.\d+)$/.exec(range);
  const [given, wanted] = [text, least].map((each) =>
    each.split('.').map((part) => Number.parseInt(part, 10)),
  );
  if (kind === '^' && given[0] !== wanted[0]) return false;
  const differing = wanted.findIndex((part, index) => part !== given[index]);
  return differing < 0 || given[differing] > wanted[differing];
}

function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exitCode = 1;
}
