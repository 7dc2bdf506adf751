// The truth in D1.
import { env } from 'cloudflare:workers';
import { openDatabase } from '../database.ts';
import { openTruth } from './hub-truth.ts';
import { describeTruth } from './truth.suite.ts';

describeTruth(async () => ({ db: await openDatabase(env), truth: openTruth(env) }));
