/** What the object of a lane lets be applied, and what the model is to ask for. */
import type { Remedy } from '../../src/api/index.ts';
import type { Random } from './random.ts';
import { LIMIT, NODES } from './settings.ts';

export interface RemedyPlan {
  /** The one that `apply.actions` lists, and that the diagnoses of the lane ask for. */
  readonly action: Remedy;
  /** `apply.limit`, where the action takes one. */
  readonly bounds: { readonly min: number; readonly max: number };
}

/** What ChangeLimit sets: nodes that decide alone keep the limit together then. */
export const SHARE = Math.floor(LIMIT / NODES);

/** Most of them hold the share, two with nothing to spare; the last does not, and then nothing may be set. */
const BOUNDS = [
  { min: 1, max: LIMIT },
  { min: 1, max: SHARE },
  { min: SHARE, max: LIMIT },
  { min: SHARE + 1, max: LIMIT - 1 },
];

/** Draws one. */
export function remedyPlan(random: Random): RemedyPlan {
  return { action: random.pick(['ResetCounter', 'ChangeLimit'] as const), bounds: random.pick(BOUNDS) };
}

/** The limit that a remedy may set on its key; undefined: it may set none. */
export function limitAllowedBy({ action, bounds }: RemedyPlan): number | undefined {
  if (action === 'ResetCounter') return LIMIT;
  return SHARE >= bounds.min && SHARE <= bounds.max ? SHARE : undefined;
}

/** The limits that a remedy sends, in this order: a change is measured against a fresh window of the old limit. */
export function limitsSentBy(plan: RemedyPlan): number[] {
  const limit = limitAllowedBy(plan);
  if (limit === undefined) return [];
  return plan.action === 'ChangeLimit' ? [LIMIT, limit] : [limit];
}

/** Requests that measure it, at most: one to each node after a reset, a burst before a change and one after it. */
export function measuringChecks({ action }: RemedyPlan): number {
  return action === 'ResetCounter' ? NODES : 2 * Math.max(2 * LIMIT, NODES * (SHARE + 1));
}
