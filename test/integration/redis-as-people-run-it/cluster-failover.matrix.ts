/** Failovers of a Redis Cluster, begun by an operator: their results, and runs that end early. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { isConfirmed, scenarioOf, verdictLine } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';
import { ClusterInWorld } from './support/cluster-in-world.ts';

const MASTERS = 3;

let world: World;
let cluster: ClusterInWorld;
beforeAll(async () => {
  world = await World.start('strict');
  cluster = await ClusterInWorld.start(world, MASTERS, MASTERS);
});
afterAll(async () => {
  cluster?.close();
  await world?.stop();
});

const failover = (change: object = {}) => ({
  name: 'failover',
  type: 'StoreOutage',
  countdown: '0s',
  storeOutage: {
    fault: { type: 'Failover', duration: '4s' },
    callerTimeout: '1s',
    settle: '2s',
    accept: ['Enforces'],
  },
  ...change,
});

async function spec(name: string, change?: object): Promise<object> {
  const { redis, ...limiter } = await cluster.limiter(name);
  const rateLimiter = { ...limiter, redis: { ...redis, failover: 'Allow' } };
  return { rateLimiter, scenarios: [failover(change)] };
}

/** The nodes that report to be primaries now. */
async function primaries(): Promise<number[]> {
  const { redis } = cluster;
  const roles = await Promise.all(redis.nodes.map((_, node) => redis.call(node, 'ROLE')));
  return roles.flatMap((role, node) => ((role as [string])[0] === 'master' ? [node] : []));
}

const others = (nodes: readonly number[]): number[] =>
  Array.from({ length: 2 * MASTERS }, (_, node) => node).filter((node) => !nodes.includes(node));

describe('a failover of a Cluster by an operator', () => {
  it.skipIf(withoutRealTime)('swaps each primary with its replica once, and a limiter enforces', (context) =>
    keepingTime(async () => {
      const before = await primaries();
      await world.applySpec('swapped', await spec('swapped'));
      const status = await world.ended('swapped');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(scenarioOf(status)).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
      expect(await primaries()).toEqual(others(before));
      await world.untilNoLeases();
    })(context),
  );

  it.skipIf(withoutRealTime)('is neither undone nor repeated by the operator that follows', (context) =>
    keepingTime(async () => {
      const before = await primaries();
      await cluster.redis.untilAgreed();
      const outage = failover({}).storeOutage;
      const storeOutage = { ...outage, fault: { type: 'Failover', duration: '10s' } };
      await world.applySpec('killed', await spec('killed', { storeOutage }));
      await world.untilStatus(
        'killed',
        'the failover',
        (now) => isConfirmed(now) || now.run?.completedAt !== undefined,
      );
      await world.killOperator();
      expect(await primaries()).toEqual(others(before));
      await world.operator.start();
      const status = await world.ended('killed');
      const { result = 'Inconclusive', retries } = scenarioOf(status);
      expect({ result, retries }).toEqual({ result: 'Inconclusive' });
      expect(await primaries()).toEqual(others(before));
    })(context),
  );
});
