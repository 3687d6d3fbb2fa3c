/** The types of faults. To add one, add its folder and a line here. */
import { dataLoss } from './data-loss/data-loss.ts';
import { disconnect } from './disconnect/disconnect.ts';
import { failover } from './failover/failover.ts';
import type { FaultType, Mechanism, Via } from './fault-type.ts';
import { latency } from './latency/latency.ts';
import { refuse } from './refuse/refuse.ts';
import { stalePrimary } from './stale-primary/stale-primary.ts';
import { stall } from './stall/stall.ts';

export const FAULT_TYPES = [
  stall,
  latency,
  disconnect,
  refuse,
  dataLoss,
  stalePrimary,
  failover,
] as const satisfies readonly FaultType[];

export { dataLoss, disconnect, failover, latency, refuse, stalePrimary, stall };

export type FaultName = (typeof FAULT_TYPES)[number]['type'];

/** What the choice of a mechanism depends on. */
export interface ChosenFault {
  readonly type: FaultName;
  readonly via?: Via | undefined;
}

/** How a fault is injected. Left to the type, it is by Redis if that can inject it. */
export function viaOf({ type, via }: ChosenFault): Via {
  return via ?? (faultType(type).mechanisms.Redis ? 'Redis' : 'Proxy');
}

/** @throws RangeError for a mechanism that the type does not have: the API server does not accept such a spec */
export function mechanismOf(chosen: ChosenFault): Mechanism {
  const via = viaOf(chosen);
  const mechanism = faultType(chosen.type).mechanisms[via];
  if (!mechanism) throw new RangeError(`a fault of type ${chosen.type} cannot be injected via ${via}`);
  return mechanism;
}

export function faultType(name: FaultName): FaultType {
  const found = FAULT_TYPES.find(({ type }) => type === name);
  if (!found) throw new RangeError(`there is no fault of type ${name}`);
  return found;
}
