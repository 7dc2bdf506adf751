// Exposed secrets on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeExposure } from './exposure.suite.ts';

describeExposure(() => openDeployment(env).openDatabase());
