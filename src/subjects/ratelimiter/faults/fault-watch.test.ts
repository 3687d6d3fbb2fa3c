import { expect, it } from 'vitest';
import type { Toolkit } from './fault.ts';
import { FaultWatch, type FaultWatchParts } from './fault-watch.ts';

const START = 1_000_000;

/** @param parts those that differ */
function watchAt(now: () => number, parts: Partial<FaultWatchParts> = {}): FaultWatch {
  const redis = { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls: false };
  const reading = { measures: [], summary: '', watchedUntil: 0, shortfalls: [], evidence: [] };
  return new FaultWatch({
    invariant: {
      add: () => undefined,
      urgent: false,
      reading: () => reading,
      formula: { text: 'a <= b', measured: 'a', bound: 'b' },
    },
    limit: 10,
    source: 'Nodes',
    look: async () => await Promise.reject(new Error('nobody looks')),
    settleMs: 5000,
    // What it neither asks nor sends needs no connection.
    toolkit: {
      now,
      baseline: () => undefined,
      target: { nodes: [], redis },
    } as unknown as Toolkit,
    ...parts,
  });
}

it('has what answers told in its evidence, and nothing that the store did not say', async () => {
  const node = { name: 'api-0', host: '10.0.0.1', port: 80 };
  const enough = new AbortController();
  const watch = watchAt(() => START, {
    source: 'Told',
    requestsPerSecond: 30,
    toolkit: {
      now: () => START,
      baseline: () => ({ writeP50Ms: 1, writeMaxMs: 2, lags: new Map([[30, { lag: 1, samples: 9 }]]) }),
      target: { nodes: [node], redis: { podName: 'redis-0', host: '10.0.0.7', port: 6379, tls: false } },
    } as unknown as Toolkit,
    look: async () => {
      enough.abort();
      const admitted = new Map([['api-0', 4]]);
      return {
        readAt: START,
        endedAt: START,
        admitted,
        stored: 3,
        toldBy: 'api-0',
        elsewhere: [],
        problems: [],
      };
    },
  });
  await watch.run(() => undefined, enough.signal);
  const seen = watch.timeline
    .bundle(START)
    .series.map(({ component, points, signal }) => [`${component} ${signal}`, points]);
  expect(Object.fromEntries(seen)).toEqual({
    'client limit': [[0, 10]],
    'store write-latency': expect.anything(),
    'replica-1 count-told': [[0, 3]],
  });
});

it('counts times from one moment until the fault has begun, whenever it is asked', () => {
  let now = START;
  const watch = watchAt(() => now);
  const seen = [0, 700, 2300].map((after) => {
    now = START + after;
    const { bundle, originMs } = watch.evidence();
    return { originMs, limit: bundle.series[0]?.points };
  });
  expect(new Set(seen.map(({ originMs }) => originMs))).toEqual(new Set([START]));
  expect(seen.map(({ limit }) => limit)).toEqual([[[0, 10]], [[0, 10]], [[0, 10]]]);
});

it('tells in its evidence when the fault was seen to end, and not before', () => {
  const watch = watchAt(() => START);
  watch.reported({ startedAt: START, message: '', evidence: [] });
  const during = watch.evidence();
  expect([during.originMs, during.endedAt]).toEqual([START, undefined]);
  watch.reported({ endedAt: START + 9000, message: '', evidence: [] });
  expect(watch.evidence()).toMatchObject({ originMs: START, endedAt: START + 9000 });
});
