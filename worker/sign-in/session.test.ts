// Signing in on D1.
import { env } from 'cloudflare:workers';
import { openDatabase } from '../database.ts';
import { describeSessions } from './session.suite.ts';

describeSessions(() => openDatabase(env));
