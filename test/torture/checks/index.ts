/** What is wrong with what was seen. */
import { checkFailovers } from './failovers.ts';
import { checkFigures } from './figures.ts';
import { checkOtherFaults } from './other-faults.ts';
import { checkPace } from './pace.ts';
import { checkPauses } from './pauses.ts';
import type { Seen, Wrong } from './seen.ts';
import { checkTransitions } from './transitions.ts';
import { checkVerdict } from './verdict.ts';

/** All checks on one lane. Pure. */
export function checkLane(seen: Seen): Wrong[] {
  return [
    checkPauses,
    checkOtherFaults,
    checkFailovers,
    checkTransitions,
    checkVerdict,
    checkPace,
    checkFigures,
  ].flatMap((check) => check(seen));
}
