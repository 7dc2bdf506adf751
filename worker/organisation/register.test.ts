// The register of organisations on D1.
import { env } from 'cloudflare:workers';
import { openDatabase } from '../database.ts';
import { describeOrganisations } from './register.suite.ts';

describeOrganisations(() => openDatabase(env));
