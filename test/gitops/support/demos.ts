/** ChaosDemos that are over in seconds, each with a real fault or none at all. */
import {
  type DemoManifest,
  demo as demoOf,
  demoSpec,
  ghosts,
  type LimiterChanges,
  rateLimiterOf,
} from '../../kit/demo.ts';

/** Only the burst: on an approximate limiter it ends Violated on any machine. */
const burst = (expect: 'Violated' | 'Held') => [ghosts({ name: 'ghost-allowing', expect })];

/** A ChaosDemo for the limiters of a local environment; `limiter` replaces what it says of them. */
export function demo(name: string, spec: object, limiter: LimiterChanges = {}): DemoManifest {
  return demoOf(
    { name, namespace: 'ratelimiter' },
    demoSpec({ rateLimiter: rateLimiterOf(limiter), ...spec }),
  );
}

/** Ends Succeeded on an approximate limiter. */
export const succeeding = (name: string, runId: string): DemoManifest =>
  demo(name, { runId, scenarios: burst('Violated') });

/** Ends Failed on an approximate limiter: a gate that it does not pass. */
export const failing = (name: string, runId: string): DemoManifest =>
  demo(name, { runId, scenarios: burst('Held') });
