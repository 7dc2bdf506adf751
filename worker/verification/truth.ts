// The one place that chooses where the truth lives.
import { d1Truth } from './lookup.ts';
import type { Truth } from './record.ts';

export type TruthEnv = { DB: D1Database };

export function openTruth(env: TruthEnv): Truth {
  return d1Truth(env.DB);
}
