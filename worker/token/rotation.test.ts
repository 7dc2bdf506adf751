// Replaced secrets on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeRotation } from './rotation.suite.ts';

describeRotation(() => openDeployment(env).openDatabase());
