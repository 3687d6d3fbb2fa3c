/** The operator goes away in the middle of a run: by a deleted pod, and without a word. */
import { expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { keepingTime } from '../kit/pace.ts';
import { chapterOnShow } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { type Cluster, isReady, SYSTEM } from './support/cluster.ts';

export function operatorCrashes(cluster: Cluster): void {
  it(
    'another pod ends the run if its pod is deleted in chapter 5, with one pause',
    keepingTime(async () => {
      const leader = await cluster.leader();
      const pauses = await cluster.pauses();
      await cluster.apply('demo.yaml', 'pod-deleted');
      await cluster.untilStatus('pod-deleted', 'chapter 5', (status) => chapterOnShow(status) === 5);
      await cluster.kubectl.run(['-n', SYSTEM, 'delete', 'pod', leader, '--wait=false']);
      const status = await cluster.ended('pod-deleted');
      expect(await cluster.leader()).not.toBe(leader);
      await endedRightly(cluster, 'pod-deleted', status, pauses);
    }),
  );

  it(
    'leaves no pause on when its process is killed in one, and the run ends rightly',
    keepingTime(async () => {
      await bothReady(cluster);
      const leader = await cluster.leader();
      const process = await cluster.operatorProcess(leader);
      const pauses = await cluster.pauses();
      await cluster.apply('demo.yaml', 'process-killed');
      await cluster.untilPaused('process-killed');
      await cluster.onNode(`kill -KILL ${process}`);
      await until(() => cluster.writeThroughLimiter(), { what: 'Redis to take writes again' });
      await endedRightly(cluster, 'process-killed', await cluster.ended('process-killed'), pauses);
      expect(await restarts(cluster, leader)).toBe(1);
    }),
  );
}

/** No second pause, nothing left behind, and a verdict that the interruption allows. */
async function endedRightly(
  cluster: Cluster,
  name: string,
  status: ChaosDemoStatus,
  pausesBefore: number,
): Promise<void> {
  const [drift] = status.scenarios ?? [];
  // What the process had seen died with it: either it was stored before, or it is not claimed.
  expect(`${drift?.result} ${status.phase}`).toMatch(/^(Violated Succeeded|Inconclusive Errored)$/);
  expect(drift?.fault).toMatchObject({ id: '1-counter-drift-1', proof: 'Confirmed' });
  expect(await cluster.pauses()).toBe(pausesBefore + 1);
  await cluster.writeThroughLimiter();
  expect(await cluster.inNamespace('get', 'leases', '-o', 'name')).not.toContain('chaosdemo-redis');
  const finalizers = ['get', 'chaosdemo', name, '-o', 'jsonpath={.metadata.finalizers}'];
  // It goes a moment after the verdict.
  await until(async () => (await cluster.inNamespace(...finalizers)) === '', { what: 'the finalizer to go' });
}

async function bothReady(cluster: Cluster): Promise<void> {
  await until(
    async () => {
      const pods = await cluster.operatorPods();
      return pods.length === 2 && pods.every(isReady);
    },
    { what: 'two Ready operators' },
  );
}

async function restarts(cluster: Cluster, pod: string): Promise<number> {
  const path = 'jsonpath={.status.containerStatuses[0].restartCount}';
  return Number(await cluster.kubectl.run(['-n', SYSTEM, 'get', 'pod', pod, '-o', path]));
}
