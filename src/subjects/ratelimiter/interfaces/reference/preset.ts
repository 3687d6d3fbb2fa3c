/** The bundled limiter as an HTTP mapping: what `interface.type: Reference` stands for. */
import type { RateLimiterSpec } from '../../schema.ts';
import { type HttpInterfaceSpec, httpInterfaceSchema, KEY_PLACE } from '../http/schema.ts';

const decides = (status: number, allowed: boolean): object => ({
  statuses: [status],
  member: { pointer: '/allowed', value: String(allowed) },
});

const PRESET: HttpInterfaceSpec = httpInterfaceSchema.parse({
  request: {
    method: 'POST',
    path: '/check',
    headers: [{ name: 'content-type', value: 'application/json' }],
    body: JSON.stringify({ key: KEY_PLACE }),
  },
  admitted: decides(200, true),
  rejected: decides(429, false),
  health: { path: '/health' },
});

/** Whether pods take limits from the run and report their counters, as the bundled limiter does. */
export function isReference({ interface: { type } }: Pick<RateLimiterSpec, 'interface'>): boolean {
  return type === 'Reference';
}

/** How the pods of a limiter are called. */
export function mappingOf({ interface: { http } }: Pick<RateLimiterSpec, 'interface'>): HttpInterfaceSpec {
  return http ?? PRESET;
}
