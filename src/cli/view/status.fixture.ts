/** Statuses and states for tests of views. */
import { type ChaosDemo, type ChaosDemoStatus, KIND } from '../../api/index.ts';
import { evidenceBundle, type RunEvidence } from '../../evidence/index.ts';
import { heard, type LiveState, startState } from './state.ts';

export const NOW = Date.parse('2026-01-01T00:00:10.000Z');
const iso = (ms: number): string => new Date(NOW + ms).toISOString();

export const TITLES = [
  'Welcome',
  'Cluster Health',
  'Setup',
  'Counter Drift Chaos',
  'Counter Drift Detection',
  'Counter Drift Diagnosis',
  'Recovery',
  'Ghost Allowing Chaos',
  'Ghost Allowing Detection',
  'Ghost Allowing Diagnosis',
  'Demo Complete',
];

/** A run in the chapter of its first fault, which is on. */
export function statusInFault(): ChaosDemoStatus {
  return {
    observedGeneration: 1,
    phase: 'Running',
    chapter: 'Counter Drift Chaos (fault confirmed)',
    chapterNumber: 4,
    chapterCount: 11,
    asExpected: '0/2',
    message: 'Redis takes no writes for 9.8 s',
    run: { number: 3, runId: '1', startedAt: iso(-10_000) },
    chapters: TITLES.map((title, i) => ({
      number: i + 1,
      title,
      state: i < 3 ? 'Completed' : i === 3 ? 'Running' : 'Pending',
    })),
    health: {
      nodes: ['a', 'b', 'c'].map((id) => ({ id, address: '10.0.0.1:80', state: 'ready' })),
      total: 3,
      dependencies: [{ name: 'Redis', connected: true }],
      hasIssues: false,
      lastTransitionTime: iso(-9_000),
    },
    scenarios: [
      {
        name: 'counter-drift',
        type: 'CounterDrift',
        expect: 'Detected',
        fault: {
          id: '3-counter-drift-1',
          plannedAt: iso(-4_000),
          startedAt: iso(-4_000),
          until: iso(6_000),
          proof: 'Confirmed',
        },
      },
      { name: 'ghost-allowing', type: 'GhostAllowing', expect: 'Detected' },
    ],
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'Running',
        message: 'A run is on',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
}

export function demoWith(status: ChaosDemoStatus | undefined, spec: object = {}): ChaosDemo {
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: KIND,
    metadata: {
      name: 'demo',
      namespace: 'ratelimiter',
      uid: 'u1',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: spec as ChaosDemo['spec'],
    ...(status ? { status } : {}),
  };
}

export function stateWith(status: ChaosDemoStatus | undefined): LiveState {
  const connected = heard(startState('ratelimiter', 'demo'), {
    kind: 'connection',
    connection: { state: 'connected' },
  });
  return heard(connected, { kind: 'object', demo: demoWith(status) });
}

/** Evidence of a pause: two replicas count on to 20 each, and the store stands still at 10 for 8 s. */
export function evidenceOfRun(run = 3): RunEvidence {
  const series = (id: string, component: string, signal: string, points: [number, number][]) => ({
    id,
    component,
    signal,
    unit: 'requests',
    points,
  });
  const bundle = evidenceBundle.parse({
    version: 'evidence/v1',
    components: [
      { name: 'store', role: 'store' },
      { name: 'client', role: 'client' },
      { name: 'replica-1', role: 'replica' },
      { name: 'replica-2', role: 'replica' },
    ],
    relations: [],
    series: [
      series('s1', 'replica-1', 'count-local', [
        [0, 0],
        [1000, 5],
        [8000, 20],
      ]),
      series('s2', 'replica-2', 'count-local', [
        [0, 0],
        [1000, 5],
        [8000, 20],
      ]),
      series('s3', 'store', 'count-stored', [
        [0, 0],
        [1000, 10],
        [8000, 10],
        [8200, 40],
      ]),
      series('s4', 'replica-1', 'requests-allowed', [
        [0, 0],
        [8000, 20],
      ]),
      series('s5', 'client', 'limit', [[0, 10]]),
    ],
    events: [],
    invariant: {
      formula: 'sum(count-local) - count-stored <= allowed',
      broken: true,
      values: [{ id: 'v1', name: 'allowed', value: 6 }],
    },
  });
  return {
    version: 'run-evidence/v1',
    demo: { namespace: 'ratelimiter', name: 'demo', uid: 'u1' },
    run: { number: run },
    originMs: NOW - 10_000,
    chapters: [],
    results: [],
    scenarios: [
      {
        name: 'counter-drift',
        type: 'CounterDrift',
        pods: [],
        bundleAtMs: 500,
        bands: [{ kind: 'fault', fromMs: 1500, toMs: 8500, text: 'pause' }],
        detections: [],
        bundle,
      },
    ],
    complete: false,
    leftOut: '',
  };
}
