// The register of organisations on D1.
import { env } from 'cloudflare:workers';
import { openDeployment } from '../deployment/deployment.ts';
import { describeOrganisations } from './register.suite.ts';

describeOrganisations(() => openDeployment(env).openDatabase());
