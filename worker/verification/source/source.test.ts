// What verification reads from D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../../deployment/deployment.ts';
import { describeSource } from './source.suite.ts';

describeSource(async () => ({
  db: await openDeployment(env).openDatabase(),
  source: openDeployment(env).openSource(),
}));
