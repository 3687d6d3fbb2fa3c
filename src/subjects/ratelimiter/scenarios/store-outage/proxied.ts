/** The faults of a fault proxy: which specs can show nothing. Pure. */
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import { PART, type RateLimiterSpec } from '../../schema.ts';
import { parametersOf, watchedAfterMs } from './parameters.ts';

export const PROXIED_FAULTS: ReadonlySet<string> = new Set(['Blackhole', 'Latency', 'Refuse', 'StaleMaster']);

/** A fault proxy keeps no fault longer; milliseconds. */
const LONGEST_MS = 60_000;

/** Why no run can show the outcome of a fault of a fault proxy, with what to change. */
export function proxyUnprovable(scenario: ScenarioSpec, { redis }: RateLimiterSpec): string | undefined {
  const { fault } = parametersOf(scenario);
  if (!PROXIED_FAULTS.has(fault.type)) return undefined;
  const name = `scenario ${scenario.name}: storeOutage.fault.type ${fault.type}`;
  if (!redis.faultProxy) {
    return `${name} needs a fault proxy between the rate limiter and Redis: see docs/faults.md, and name it in ${PART}.redis.faultProxy`;
  }
  if (fault.type !== 'StaleMaster') return undefined;
  if (redis.tls) {
    return `${name} answers commands in place of Redis, and with ${PART}.redis.tls the fault proxy cannot read them: use Refuse`;
  }
  const staleMs = parseDuration(fault.duration) + watchedAfterMs(scenario);
  if (staleMs <= LONGEST_MS) return undefined;
  return `${name} keeps connections stale for fault.duration, settle, 1 s and callerTimeout, ${formatDuration(staleMs)} in all, and a fault proxy keeps no fault longer than ${formatDuration(LONGEST_MS)}: shorten storeOutage.fault.duration or settle`;
}
