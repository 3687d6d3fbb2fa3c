import { expect, it } from 'vitest';
import { MemoryCluster } from '../../../test/fixtures/subjects/cluster.ts';
import { pod } from '../../../test/fixtures/subjects/targets/pod.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Finding } from '../../engine/findings.ts';
import { checkPreconditions, watchPreconditions } from './precondition-check.ts';

const never = new AbortController().signal;
const run = [
  { name: 'a', uid: 'uid-a' },
  { name: 'b', uid: 'uid-b' },
];

function clusterOf(...pods: ReturnType<typeof pod>[]): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.podList = pods;
  return cluster;
}

it('names pods that are gone, being deleted, or replaced under the same name', async () => {
  const cluster = clusterOf(pod('a'), pod('b'));
  expect(await checkPreconditions(cluster, 'shop', run, never)).toEqual({
    kind: 'PreconditionCheck',
    admission: { state: 'granted' },
    gone: [],
  });
  cluster.podList = [
    pod('a', ({ metadata }) => {
      metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    }),
    pod('b', ({ metadata }) => {
      metadata.uid = 'another';
    }),
  ];
  expect(await checkPreconditions(cluster, 'shop', run, never)).toMatchObject({ gone: ['a', 'b'] });
  cluster.podList = [];
  expect(await checkPreconditions(cluster, 'shop', run, never)).toMatchObject({ gone: ['a', 'b'] });
});

it('reports that the namespace label or the permission was removed', async () => {
  const cluster = clusterOf(pod('a'), pod('b'));
  cluster.forbidden = true;
  expect(await checkPreconditions(cluster, 'shop', run, never)).toMatchObject({
    admission: { state: 'refused', reason: 'PermissionDenied' },
  });
  cluster.labels = {};
  const look = await checkPreconditions(cluster, 'shop', run, never);
  expect(look).toMatchObject({ admission: { state: 'refused', reason: 'NamespaceNotEnabled' } });
  expect(look).not.toHaveProperty('gone');
});

it.each([
  [true, { kind: 'PreconditionCheck', admission: { state: 'granted' }, gone: ['b'] }],
  [false, { kind: 'PreconditionCheck', gone: ['b'] }],
])(
  'the second check repeats each 5 s despite failures; admission reported: %s',
  async (tellsAdmission, expected) => {
    const waits: number[] = [];
    const stop = new AbortController();
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        waits.push(ms);
      },
    };
    const warnings: unknown[] = [];
    const logger = { warn: (...line: unknown[]) => warnings.push(line) } as never;
    const cluster = clusterOf(pod('a'));
    let looks = 0;
    const look = async (signal: AbortSignal) => {
      looks += 1;
      if (looks === 2) throw new Error('the API server did not say');
      return await checkPreconditions(cluster, 'shop', run, signal);
    };
    const findings: Finding[] = [];
    await watchPreconditions(
      look,
      { clock, logger },
      tellsAdmission,
      (finding) => {
        findings.push(finding);
        if (looks === 3) stop.abort(new Error('enough'));
      },
      stop.signal,
    );
    expect(findings).toEqual([expected, expected]);
    expect(waits).toEqual([5000, 5000, 5000]);
    expect(warnings).toHaveLength(1);
  },
);
