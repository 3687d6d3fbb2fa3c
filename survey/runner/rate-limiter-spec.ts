/** `spec.rateLimiter` of a limiter of the survey, as a user would write it from its documentation. Pure. */
import { fillIn, type SurveyedLimiter, type Variant } from './limiter.ts';

/** The limit that its processes were started with. */
export interface Configured {
  readonly limit: number;
  readonly windowSeconds: number;
  /** As in `StartOptions`. */
  readonly burst?: number;
}

/** The request that counts, and how its answers are read. */
export function httpSpec({ admitted, rejected, request }: SurveyedLimiter): object {
  const place = { key: '$(key)' };
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => ({
    name,
    value: fillIn(value, place),
  }));
  return {
    method: request.method,
    path: fillIn(request.path, place),
    headers,
    ...(request.body !== undefined && { body: fillIn(request.body, place) }),
    admittedStatuses: admitted,
    rejectedStatuses: rejected,
  };
}

/** What the survey knows, in the words of the API. The caller adds selector, port and Redis. */
export function rateLimiterSpec(
  limiter: SurveyedLimiter,
  { window = limiter.window }: Variant,
  { burst, limit: requests, windowSeconds }: Configured,
): { health: object; http: object; limit: object } {
  return {
    http: httpSpec(limiter),
    limit: {
      requests,
      window: `${windowSeconds}s`,
      // The run measures how the others count.
      ...(window.kind === 'TokenBucket' && { algorithm: window.kind }),
      ...(burst !== undefined && { burst }),
      ...(window.refillEvery !== undefined && { refillEvery: window.refillEvery }),
    },
    health: { path: limiter.healthPath },
  };
}
