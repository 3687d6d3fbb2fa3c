/** The ChaosDemo that a user would write for a limiter of the survey. Pure. */
import type { SurveyedLimiter, Variant } from './limiter.ts';
import { type Configured, rateLimiterSpec } from './rate-limiter-spec.ts';

/** The limit of every limiter of the survey, unless its description asks for another window. */
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

const scenarios = [
  {
    name: 'outage',
    type: 'StoreOutage',
    expect: 'Any',
    countdown: '1s',
    storeOutage: {
      fault: { duration: `${PAUSE_SECONDS}s` },
      callerTimeout: '1s',
      requestsPerSecond: OUTAGE_REQUESTS_PER_SECOND,
      settle: '5s',
      accept: ['Enforces'],
    },
  },
  { name: 'burst', type: 'GhostAllowing', expect: 'Any', countdown: '1s' },
];

/** Labels of the pods that stand for its processes. */
export function labelsOf({ name }: SurveyedLimiter): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': name };
}

/** Redis stalls, then a burst comes; whatever happens is as expected, since nobody knows it before. */
export function surveyDemo(
  limiter: SurveyedLimiter,
  variant: Variant,
  where: { readonly namespace: string; readonly name: string },
) {
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: where,
    spec: {
      rateLimiter: {
        selector: { matchLabels: labelsOf(limiter) },
        port: 'http',
        redis: { service: 'redis', allowOtherClients: true },
        ...rateLimiterSpec(limiter, variant, configuredOf(limiter)),
      },
      scenarios,
      pace: { mode: 'Auto', dwell: '0s' },
    },
  };
}
