// The store of tokens on D1.
import { env } from 'cloudflare:workers';
import { openDatabase } from '../database.ts';
import { describeTokens } from './store.suite.ts';

describeTokens(() => openDatabase(env));
