/** Pods of a strict limiter go away while it is being watched: nothing can be said then, and the status says why. */
import { expect, it } from 'vitest';
import { ONE_BURST } from '../kit/demo.ts';
import { keepingTime } from '../kit/pace.ts';
import type { Cluster } from './support/cluster.ts';

export function disturbances(cluster: Cluster): void {
  it(
    'makes the scenario Inconclusive when a rollout replaces them all, and says so',
    keepingTime(async () => {
      await cluster.useLimiter('strict');
      await cluster.apply('gate.yaml', 'rolled-out');
      await cluster.untilPaused('rolled-out');
      await cluster.inNamespace('rollout', 'restart', 'deployment/ratelimiter');
      const status = await cluster.ended('rolled-out');
      expect(status.phase).toBe('Errored');
      expect(status.scenarios?.[0]?.result).toBe('Inconclusive');
      const podsGone = /gone since .*: .* \(3 of 3 pods\): .*rollout/;
      expect(status.scenarios?.[0]?.message).toMatch(podsGone);
      expect(status.message).toMatch(podsGone);
      await cluster.writeThroughLimiter();
    }),
  );

  it('start another run after a rollout with rerun: OnPodTemplateChange', async () => {
    await cluster.useLimiter('strict');
    await cluster.applySpec('after-rollouts', { ...ONE_BURST, rerun: 'OnPodTemplateChange' });
    const first = await cluster.ended('after-rollouts');
    await cluster.inNamespace('rollout', 'restart', 'deployment/ratelimiter');
    await cluster.inNamespace(
      'wait',
      'chaosdemo/after-rollouts',
      '--for=jsonpath={.status.run.number}=2',
      '--timeout=5m',
    );
    const { run } = await cluster.ended('after-rollouts');
    expect(run?.phase).toBe('Succeeded');
    const before = first.run?.pods?.map(({ name }) => name) ?? [];
    expect(run?.pods?.filter(({ name }) => before.includes(name))).toEqual([]);
    await cluster.inNamespace('delete', 'chaosdemo', 'after-rollouts');
  });
}
