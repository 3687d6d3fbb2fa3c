/** A fault of type DataLoss: the callers whose counts Redis loses, and which specs can show nothing. Pure. */
import type { CountPlace } from '@chaosdemo/redis-faults';
import { counted, type ScenarioSpec } from '../../../../api/index.ts';
import { LEAST_REQUESTS } from '../../checkers/behaviour.ts';
import { placeOf } from '../../interfaces/http/stored-count.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { PART, type RateLimiterSpec } from '../../spec/schema.ts';
import type { Toolkit } from '../../tools.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import { mechanismIn } from '../store-fault.ts';
import { drawOf, parametersOf, requestsInFault, windowsEnd } from './parameters.ts';
import { residentsOf } from './population.ts';

/** Counts of callers that have used their limits when the fault begins. */
export function lostCounts(
  scenario: ScenarioSpec,
  toolkit: Pick<Toolkit, 'callers' | 'limiter' | 'target'>,
  fixture: string,
): readonly CountPlace[] {
  const { limiter, target } = toolkit;
  const residents = residentsOf(drawOf(scenario, limiter, target.pods.length, fixture));
  return residents
    .filter(({ used, usedLate }) => used + usedLate > 0)
    .map(({ key }) => placeOf(toolkit, key));
}

/** Why no run on this many pods can show the outcome of lost counts, with what to change. */
export function lossUnprovable(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
): string | undefined {
  const { fault, requestsPerSecond } = parametersOf(scenario);
  if (mechanismIn(fault, limiter).lasts !== 'Moment') return undefined;
  const name = `scenario ${scenario.name}: storeOutage.fault.type ${fault.type}`;
  if (isOfOneCaller(limiter)) {
    return `${name} needs callers that are over their limit when it begins, and with ${PART}.http.identity SourceAddress there is none: use another type`;
  }
  if (windowsEnd(scenario, limiter)) {
    return `${name} needs callers that stay over their limit, and windows of ${PART}.limit.window ${limiter.limit.window} end during the scenario: shorten storeOutage.fault.duration, or give the rate limiter a longer window for the test`;
  }
  const full = admittedAtOnce(limitOf(limiter));
  const needed = full + LEAST_REQUESTS * pods;
  const sent = requestsInFault(scenario, limiter) * pods;
  if (sent >= needed) return undefined;
  return `${name}: a caller over its limit has to send ${counted(needed, 'request')} after the loss, to use its limit of ${full} up once more and be rejected; storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods give ${sent} in fault.duration ${fault.duration}: raise one of them, or give the rate limiter a lower limit for the test`;
}
