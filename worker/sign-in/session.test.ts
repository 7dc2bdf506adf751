// Signing in on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeSessions } from './session.suite.ts';

describeSessions(() => openDeployment(env).openDatabase());
