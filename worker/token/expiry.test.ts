// The warnings before the end of a token on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeExpiry } from './expiry.suite.ts';

describeExpiry(() => openDeployment(env).openDatabase());
