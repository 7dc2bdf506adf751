// Limited tokens on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeLimits } from './limits.suite.ts';

describeLimits(async () => {
  const deployment = openDeployment(env);
  return { db: await deployment.openDatabase(), source: deployment.openSource() };
});
