// Calls added up.
import type { Series } from './api.ts';

export const NO_CALLS: Series = { accepted: [], refused: [] };

export const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
export const totalsOf = ({ accepted, refused }: Series) => ({
  accepted: sum(accepted),
  refused: sum(refused),
});
