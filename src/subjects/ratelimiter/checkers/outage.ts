/**
 * The checkers of a store outage: only accepted outcomes, and no more than the limit unless FailsOpen or Forgets is
 * accepted; afterwards callers are admitted as before, and get their limit back. Pure.
 */

import { price } from '../../checkers/price.ts';
import { proof, record } from '../../checkers/record.ts';
import { pods } from '../../checkers/seen.ts';
import { service } from './behaviour.ts';
import { latency, overCounted } from './figures.ts';
import { overAdmission } from './over-admission.ts';
import { limitReturn, recovery } from './recovery.ts';

export const OUTAGE_CHECKERS = [
  record,
  proof,
  overAdmission,
  service,
  latency,
  price,
  recovery,
  limitReturn,
  overCounted,
  pods,
] as const;
