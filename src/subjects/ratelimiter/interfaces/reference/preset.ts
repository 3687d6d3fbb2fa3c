/** The bundled limiter as an HTTP mapping: what `interface: Reference` stands for. */
import type { RateLimiterSpec } from '../../schema.ts';
import { type HttpInterfaceSpec, httpInterfaceSchema, KEY_PLACE } from '../http/schema.ts';

const PRESET: HttpInterfaceSpec = httpInterfaceSchema.parse({
  method: 'POST',
  path: '/check',
  headers: [{ name: 'content-type', value: 'application/json' }],
  body: JSON.stringify({ key: KEY_PLACE }),
  admittedStatuses: [200],
  decision: { pointer: '/allowed', admitted: 'true', rejected: 'false' },
});

/** Whether pods accept limits from the run and report their counters, as the bundled limiter does. */
export function isReference(limiter: Pick<RateLimiterSpec, 'interface'>): boolean {
  return limiter.interface === 'Reference';
}

/** The HTTP mapping of a limiter. */
export function mappingOf({ http }: Pick<RateLimiterSpec, 'http'>): HttpInterfaceSpec {
  return http ?? PRESET;
}

/** Path of a request that uses no limit. */
export function healthPathOf({ health, http }: Pick<RateLimiterSpec, 'health' | 'http'>): string {
  return health.path ?? (http ? '/' : '/health');
}
