// The store of tokens on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeTokens } from './store.suite.ts';

describeTokens(() => openDeployment(env).openDatabase());
