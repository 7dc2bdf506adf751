// The stores on D1, in one file: each file in workerd starts a server of its own.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeStores } from './stores.ts';

describeStores(
  'D1',
  () => openDeployment(env).openDatabase(),
  () => openDeployment(env).openSource(),
);
