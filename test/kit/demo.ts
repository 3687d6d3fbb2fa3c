/** Makes ChaosDemo objects for tests and benchmarks: samples as they are shipped, and short ones for tests. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { API_VERSION, type ChaosDemo, KIND } from '../../src/api/index.ts';

/** What goes to the API server: the spec is any object, since tests send wrong ones too. */
export interface DemoManifest {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** Fields of `spec.rateLimiter`. */
export interface LimiterChanges {
  readonly http?: object;
  readonly limit?: object;
  readonly [field: string]: unknown;
}

const LIMITERS = { 'app.kubernetes.io/name': 'ratelimiter' };
const samples = fileURLToPath(new URL('../../manifests/samples/', import.meta.url));

/**
 * `spec.rateLimiter` for the limiters and the Redis of a target; `changes` replaces fields of it. What they leave out of
 * the limit is that of the bundled limiter.
 */
export function rateLimiterOf(changes: LimiterChanges = {}): object {
  return {
    selector: { matchLabels: LIMITERS },
    redis: redisRef(),
    ...changes,
    ...((changes.http ?? changes.limit) && { limit: { requests: 10, window: '60s', ...changes.limit } }),
  };
}

/** `rateLimiter.redis`: the Service and the Secret of a target; `changes` replaces fields of it. */
export function redisRef(changes: object = {}): object {
  return { serviceName: 'redis', authSecretName: 'redis-auth', ...changes };
}

/** Both weaknesses of the approximate limiter, which are expected. */
export const WEAKNESSES = [
  { name: 'counter-drift', type: 'CounterDrift', expect: 'Violated' },
  { name: 'ghost-allowing', type: 'GhostAllowing', expect: 'Violated' },
] as const;

/** A spec on the limiters of a target that dwells on no chapter; `changes` adds fields or replaces them. */
export function demoSpec(changes: object = {}): object {
  return { rateLimiter: rateLimiterOf(), scenarios: WEAKNESSES, pace: { dwell: '0s' }, ...changes };
}

/** The whole object of a spec. */
export function demo(
  { name, namespace }: { name: string; namespace: string },
  spec: object,
  annotations?: Readonly<Record<string, string>>,
): DemoManifest {
  const metadata = { name, namespace, ...(annotations ? { annotations } : {}) };
  return { apiVersion: API_VERSION, kind: KIND, metadata, spec };
}

/** An object of manifests/samples as it is shipped, but for name and namespace. */
export async function sample(
  file: string,
  { name, namespace }: { name: string; namespace: string },
): Promise<DemoManifest> {
  const { spec } = parse(await readFile(`${samples}${file}`, 'utf8')) as ChaosDemo;
  return demo({ name, namespace }, spec);
}

/** A pause of a few seconds with enough traffic for a proof. */
export function drift(changes: object = {}): object {
  return {
    name: 'drift',
    type: 'CounterDrift',
    expect: 'Violated',
    countdown: '0s',
    counterDrift: { fault: { duration: '4s' }, requestsPerSecond: 60, settle: '1s' },
    ...changes,
  };
}

/** Bursts of three times the limit. */
export function ghosts(changes: object = {}): object {
  return {
    name: 'ghosts',
    type: 'GhostAllowing',
    expect: 'Violated',
    countdown: '0s',
    ghostAllowing: {},
    ...changes,
  };
}

/** The shortest run that succeeds, whatever it finds: one burst, without a fault of Redis. */
export const ONE_BURST = {
  scenarios: [ghosts({ expect: 'Any', ghostAllowing: { trials: 1 } })],
  pace: { dwell: '0s' },
} as const;
