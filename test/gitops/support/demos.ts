/** ChaosDemos that are over in seconds, each with a real fault or none at all. */
import { API_VERSION, type ChaosDemo, KIND } from '../../../src/api/index.ts';

/** Only the burst: on an approximate limiter it ends Detected on any machine. */
const burst = (expect: 'Detected' | 'NotDetected') => [
  {
    name: 'ghost-allowing',
    type: 'GhostAllowing',
    expect,
    countdown: '0s',
    ghostAllowing: { settle: '1s' },
  },
];

/** A ChaosDemo for the limiters of a local environment; `limiter` replaces what it says of them. */
export function demo(name: string, spec: object, limiter: object = {}): ChaosDemo {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace: 'ratelimiter' },
    spec: {
      subject: {
        rateLimiter: {
          selector: { matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } },
          redis: { service: { name: 'redis' }, authSecretRef: { name: 'redis-auth' } },
          ...limiter,
        },
      },
      pace: { dwell: '0s' },
      ...spec,
    },
  } as unknown as ChaosDemo;
}

/** Ends Succeeded on an approximate limiter. */
export const succeeding = (name: string, runId: string): ChaosDemo =>
  demo(name, { runId, scenarios: burst('Detected') });

/** Ends Failed on an approximate limiter: a gate that it does not pass. */
export const failing = (name: string, runId: string): ChaosDemo =>
  demo(name, { runId, scenarios: burst('NotDetected') });
