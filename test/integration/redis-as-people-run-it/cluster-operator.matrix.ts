/** The operator itself on a limiter whose Redis is a Cluster: pods, a Service and a Secret, as in a cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drift } from '../../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { conditionText, scenarioOf, verdictLine } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';
import { ClusterInWorld } from './support/cluster-in-world.ts';
import type { RedisCluster } from './support/redis-cluster.ts';

const ALL = [true, true, true];

let world: World;
let inWorld: ClusterInWorld;
let cluster: RedisCluster;
beforeAll(async () => {
  world = await World.start('strict');
  inWorld = await ClusterInWorld.start(world, 3, 1);
  cluster = inWorld.redis;
});
afterAll(async () => {
  inWorld?.close();
  await world?.stop();
});

const outage = (fault: { readonly type: string } & Record<string, unknown>, accept = ['FailsClosed']) => ({
  name: fault.type.toLowerCase(),
  type: 'StoreOutage',
  countdown: '0s',
  storeOutage: { fault, callerTimeout: '1s', settle: '2s', accept },
});

describe('a ChaosDemo on a Redis Cluster', () => {
  it('is refused with the bundled limiter, with what to do instead', async () => {
    const { redis, selector } = await inWorld.limiter('refused');
    const { count: _, ...rest } = redis;
    const rateLimiter = { selector, port: 'main', redis: rest };
    await world.applySpec('refused', { rateLimiter, scenarios: [outage({ type: 'Stall' })] });
    const status = await world.untilStatus(
      'refused',
      'a refusal',
      (now) => conditionText(now, 'Stalled') === 'True UnprovableSpec',
    );
    expect(status.message).toMatch(/Redis is a Cluster of 3 primaries, and .*in rateLimiter\.http/);
    await world.delete('refused');
    expect(await cluster.calls('client|pause')).toEqual([0, 0, 0]);
  });

  it.skipIf(withoutRealTime)('runs to its verdict, with all masters paused once', (context) =>
    keepingTime(async () => {
      const before = await cluster.calls('client|pause');
      const scenarios = [outage({ type: 'Stall', duration: '4s' })];
      await world.applySpec('stall', { rateLimiter: await inWorld.limiter('stall'), scenarios });
      const status = await world.ended('stall');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(scenarioOf(status)).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
      expect(await cluster.calls('client|pause')).toEqual(before.map((count) => count + 1));
      expect(await cluster.takesWrites()).toEqual(ALL);
      await world.untilNoLeases();
    })(context),
  );

  it.skipIf(withoutRealTime)('breaks and forgets on all masters in one run', (context) =>
    keepingTime(async () => {
      const commands = ['client|kill', 'unlink'];
      const calls = async () => await Promise.all(commands.map((command) => cluster.calls(command)));
      const before = await calls();
      const scenarios = [
        outage({ type: 'Disconnect', duration: '4s' }),
        outage({ type: 'DataLoss', duration: '4s', scripts: true }, ['Forgets']),
      ];
      // So long that no scenario waits for its end.
      await world.applySpec('all', {
        rateLimiter: await inWorld.limiter('all', { windowS: 120 }),
        scenarios,
      });
      const status = await world.ended('all');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      const found = (status.scenarios ?? []).map(({ fault, name, result, summary }) => {
        return [name, result, fault?.proof, summary];
      });
      expect(found).toEqual([
        ['break', 'Held', 'Confirmed', expect.stringMatching(/^FailsClosed/)],
        ['lose', 'Held', 'Confirmed', expect.stringMatching(/^Forgets/)],
      ]);
      const [kills = [], unlinks = []] = (await calls()).map((counts, i) =>
        counts.map((count, node) => count - (before[i]?.[node] ?? 0)),
      );
      // Several rounds, and one UNLINK for each key.
      expect(Math.min(...kills)).toBeGreaterThan(4);
      expect(unlinks.reduce((sum, count) => sum + count, 0)).toBe(11);
      expect(await cluster.takesWrites()).toEqual(ALL);
      await world.untilNoLeases();
    })(context),
  );

  it.skipIf(withoutRealTime)(
    'shows what a limiter admits that the master of its key did not count',
    (context) =>
      keepingTime(async () => {
        await world.applySpec('drift', {
          rateLimiter: await inWorld.limiter('drift', { opens: true }),
          scenarios: [drift()],
        });
        const status = await world.ended('drift');
        const { fault, measures, result } = scenarioOf(status);
        expect({ result, proof: fault?.proof }).toEqual({ result: 'Violated', proof: 'Confirmed' });
        expect(measures).toHaveProperty('drift');
        await world.untilNoLeases();
      })(context),
  );

  // Last: the Cluster is another one from here on.
  it.skipIf(withoutRealTime)('is not paused if a primary joins after the announcement', (context) =>
    keepingTime(async () => {
      const before = await cluster.calls('client|pause');
      const scenarios = [{ ...outage({ type: 'Stall', duration: '4s' }), countdown: '8s' }];
      await world.applySpec('joined', { rateLimiter: await inWorld.limiter('joined'), scenarios });
      await world.untilStatus('joined', 'the announcement', (now) => now.scenarios?.[0]?.fault !== undefined);
      const node = await cluster.addNode();
      await cluster.meet(node);
      await inWorld.addNodes(node);
      const status = await world.ended('joined');
      expect(verdictLine(status)).toMatch(/RedisNotEligible.*without slots/);
      expect(await cluster.calls('client|pause')).toEqual(before);
    })(context),
  );
});
