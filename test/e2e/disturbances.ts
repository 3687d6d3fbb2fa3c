/** Pods of a strict limiter go away while it is being watched: nothing can be said then, and the status says why. */
import { expect, it } from 'vitest';
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
}
