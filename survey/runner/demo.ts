/** The ChaosDemo that a user would write for a limiter of the survey. Pure. */
import type { Via } from '@chaosdemo/redis-faults';
import { type FaultName, viaOf } from '@chaosdemo/redis-faults';
import { FAULT_PROXY } from '../../src/local/fault-proxy.ts';
import type { SurveyedLimiter, Variant } from './limiter.ts';
import { type Configured, rateLimiterSpec } from './rate-limiter-spec.ts';

/** The limit of every limiter of the survey, unless its description has another window. */
export const CONFIGURED = { limit: 20, windowSeconds: 60 };

/** The limit that the processes of a limiter are started with. */
export function configuredOf({ window }: SurveyedLimiter): Configured {
  return {
    ...CONFIGURED,
    ...(window.surveySeconds !== undefined && { windowSeconds: window.surveySeconds }),
  };
}

/** How long writes of Redis are paused. */
export const PAUSE_SECONDS = 10;

/** Requests per second of each caller to each process. */
export const OUTAGE_REQUESTS_PER_SECOND = 5;

/**
 * Faults of Redis, in the order of the page. Of those other than the first, the results are apart. Restart: a Refuse in
 * which one process is killed and started again.
 */
export const SURVEYED_FAULTS = [
  'Stall',
  'Disconnect',
  'Refuse',
  'StalePrimary',
  'StallByProxy',
  'Latency',
  'DataLoss',
  'Restart',
] as const;
export type SurveyedFault = (typeof SURVEYED_FAULTS)[number];

/** The fault that the operator injects. */
export function injectedFor(fault: SurveyedFault): { readonly type: FaultName; readonly via?: Via } {
  if (fault === 'Restart') return { type: 'Refuse' };
  return fault === 'StallByProxy' ? { type: 'Stall', via: 'Proxy' } : { type: fault };
}

/** Whether a fault proxy injects it. */
export const isProxied = (fault: SurveyedFault): boolean => viaOf(injectedFor(fault)) === 'Proxy';

const outageOf = (fault: SurveyedFault) => ({
  name: 'outage',
  type: 'StoreOutage',
  expect: 'Any',
  countdown: '1s',
  storeOutage: {
    fault: { ...injectedFor(fault), duration: `${PAUSE_SECONDS}s` },
    callerTimeout: '1s',
    requestsPerSecond: OUTAGE_REQUESTS_PER_SECOND,
    settle: '5s',
    accept: ['Enforces'],
  },
});
const burst = { name: 'burst', type: 'GhostAllowing', expect: 'Any', countdown: '1s' };

/** Labels of the pods that stand for its processes. */
export function labelsOf({ name }: SurveyedLimiter): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': name };
}

/** A fault of Redis, and, with a stall, a burst without a fault. Any outcome is as expected. */
export function surveyDemo(
  limiter: SurveyedLimiter,
  variant: Variant,
  where: { readonly namespace: string; readonly name: string },
  fault: SurveyedFault = 'Stall',
) {
  const count = fault === 'DataLoss' ? countOf(limiter, variant) : undefined;
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: where,
    spec: {
      rateLimiter: {
        selector: { matchLabels: labelsOf(limiter) },
        port: 'http',
        redis: {
          serviceName: 'redis',
          // Without a separate network, all processes reach Redis from one address.
          otherClients: fault === 'Stall' ? 'Allow' : 'Reject',
          ...(isProxied(fault) && { faultProxy: FAULT_PROXY }),
          ...(count && { count }),
        },
        ...rateLimiterSpec(limiter, variant, configuredOf(limiter)),
      },
      scenarios: fault === 'Stall' ? [outageOf(fault), burst] : [outageOf(fault)],
      pace: { mode: 'Auto', dwell: '0s' },
    },
  };
}

/** The key that has the whole count of a caller, if it is one number that counts up. */
export function countOf(
  { store: usual }: SurveyedLimiter,
  { store = usual }: Variant,
): { key: string } | undefined {
  const [only, ...more] = store.filter(({ holds }) => holds === 'used');
  const isKnown = only?.type === 'string' && more.length === 0 && !/\{(number|hash)\}/.test(only.key);
  return isKnown ? { key: only.key.replace('{key}', '$(key)') } : undefined;
}
