// Callers, reasons and tombstones on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeCalls } from './calls.suite.ts';

describeCalls(async () => {
  const deployment = openDeployment(env);
  return { db: await deployment.openDatabase(), source: deployment.openSource() };
});
