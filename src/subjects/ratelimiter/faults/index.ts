/** The faults of the rate limiter, in the order of the story. */
import { counterDrift } from './counter-drift/index.ts';
import type { Fault } from './fault.ts';
import { ghostAllowing } from './ghost-allowing/index.ts';
import { storeOutage } from './store-outage/index.ts';

export const FAULTS: readonly Fault[] = [counterDrift, ghostAllowing, storeOutage];

/** The fault of a scenario type. @throws RangeError for a type that is none of this subject's */
export function faultOf(type: string): Fault {
  const fault = FAULTS.find(({ api }) => api.type === type);
  if (!fault) throw new RangeError(`the rate limiter has no fault of type ${type}`);
  return fault;
}
