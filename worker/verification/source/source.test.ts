// What verification reads from D1.
import { env } from 'cloudflare:workers';
import { openDatabase } from '../../database.ts';
import { openSource } from './hub-source.ts';
import { describeSource } from './source.suite.ts';

describeSource(async () => ({ db: await openDatabase(env), source: openSource(env) }));
