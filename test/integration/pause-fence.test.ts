/** A pause that comes too late: Redis itself refuses it once a successor has looked whether there was one. */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ChaosDemoSpec } from '../../src/api/index.ts';
import { callsOf } from '../kit/calls-of.ts';
import { type DelayingProxy, startDelayingProxy } from '../kit/delaying-proxy.ts';
import { DrivenLimiter, limiterSpec, permitAnd } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { storeOf } from '../kit/store.ts';
import { until } from '../kit/until.ts';

/** Shorter than the operator waits for an answer of Redis. */
const LATE_MS = 4600;
const PAUSE_MS = 20_000;

const spec: ChaosDemoSpec = limiterSpec({ limit: { requests: 10, window: '60s' } }, [
  {
    name: 'drift',
    type: 'CounterDrift',
    expect: 'Violated',
    counterDrift: { fault: { duration: '20s' }, requestsPerSecond: 60 },
  },
]);

describe.skipIf(withoutRealTime)('a pause of an operator that leads no more', () => {
  let ground: NodesOnRedis;
  beforeAll(async () => {
    ground = await NodesOnRedis.start(
      ['approximate'],
      [userLine('operator', REDIS_ACL), userLine('outdated', REDIS_ACL.replace('+watch ', ''))],
    );
  });
  afterAll(() => ground?.stop());

  const driverAt = (
    { host, port }: { host: string; port: number },
    mayBePaused = false,
    username = 'operator',
  ): DrivenLimiter => {
    const redis = { ...ground.target(username), host, port };
    const driver = new DrivenLimiter({ pods: ground.nodes(), redis, spec, mayBePaused });
    onTestFinished(() => driver.close());
    return driver;
  };
  const pauses = (): Promise<number> => callsOf(ground.observer, 'client|pause');

  /** A predecessor behind a proxy, with a key that is set up. */
  async function predecessor(
    key: string,
  ): Promise<{ driver: DrivenLimiter; marker: string; proxy: DelayingProxy }> {
    const proxy = await startDelayingProxy(ground.redis);
    onTestFinished(() => proxy.stop());
    const driver = driverAt(proxy);
    await driver.prepare('drift', key);
    onTestFinished(() => ground.observer.call('CLIENT', 'UNPAUSE').then(() => undefined));
    return { driver, marker: driver.observed.prepared['f']?.marker ?? '', proxy };
  }

  const inquiry = (marker: string) =>
    ({ kind: 'Inquire', id: 'q', fault: 'f', scenario: 'drift', marker }) as const;

  it.for(['inquires', 'restores'] as const)(
    'is not carried out after its successor %s, however long it was on its way',
    async (successorDoes, context) => {
      await keepingTime(async () => {
        const { driver, marker, proxy } = await predecessor(`demo-late-${successorDoes}`);
        const before = await pauses();
        let isSent = false;
        // From here on, commands take long to arrive.
        const permit = permitAnd(() => {
          proxy.delayMs.toServer = LATE_MS;
          isSent = true;
        });
        let isAnswered = false;
        const injecting = driver.inject('drift', PAUSE_MS, permit);
        const answered = injecting.finally(() => {
          isAnswered = true;
        });
        await until(() => isSent, { what: 'the command to be sent' });

        const successor = driverAt(ground.redis, true);
        if (successorDoes === 'inquires') {
          expect(await successor.perform(inquiry(marker))).toMatchObject({ orphan: 'NotInjected' });
        } else {
          const effect = { kind: 'Restore' as const, id: 'r', fixtures: [], release: true };
          expect(await successor.perform(effect)).toMatchObject({ restored: { faultOver: true } });
        }
        expect(isAnswered).toBe(false);

        expect(await answered).toMatchObject({ missed: true });
        expect(await pauses()).toBe(before);
      })(context);
    },
  );

  it('is known to have been carried out, though the answers of Redis are late', async (context) => {
    await keepingTime(async () => {
      const { driver, marker, proxy } = await predecessor('demo-answered-late');
      const before = await pauses();
      const permit = permitAnd(() => {
        proxy.delayMs.toClient = LATE_MS;
      });
      const injecting = driver.inject('drift', PAUSE_MS, permit);
      await until(async () => (await pauses()) === before + 1, { what: 'the pause' });
      const successor = driverAt(proxy, true);
      expect(await successor.perform(inquiry(marker))).toMatchObject({ orphan: 'Injected' });
      await injecting;
    })(context);
  });

  it('can be sent and released after one whose moment had passed', async () => {
    const redis = storeOf(ground.target('operator'), 'again');
    onTestFinished(() => redis.close());
    await redis.takeCharge(60_000);
    await redis.warmUp();
    const late = redis.pauseWrites(() => {
      throw new Error('its moment has passed');
    });
    await expect(late).rejects.toThrow('its moment has passed');
    await redis.unpause();
    const before = await pauses();
    // Its key was set up again in between.
    await redis.warmUp();
    await redis.takeCharge(60_000);
    await redis.pauseWrites(() => 60_000);
    expect(await pauses()).toBe(before + 1);
    await redis.unpause();
  });

  it('is not even announced if the user of Redis may not watch the fence', async () => {
    const refused = driverAt(ground.redis, false, 'outdated').prepare('drift', 'demo-outdated');
    await expect(refused).rejects.toThrow(/WATCH: NOPERM .*grant .*"-@all .*\+watch \+multi \+exec/);
  });

  it('is not released by an operator that leads no more', async () => {
    const { driver } = await predecessor('demo-on');
    expect(await driver.inject('drift', PAUSE_MS)).toMatchObject({ proof: 'Confirmed' });
    const effect = { kind: 'Restore' as const, id: 'r', fixtures: [], release: true };
    const refused = driver.perform(effect, { refusal: () => 'no longer leads' });
    await expect(refused).rejects.toThrow(/not released: no longer/);
    expect(await driver.perform(effect)).toMatchObject({ restored: { faultOver: true } });
  });

  it('is refused if another has taken Redis over before it was sent', async () => {
    const { driver } = await predecessor('demo-taken-over');
    const before = await pauses();
    const successor = driverAt(ground.redis);
    await successor.prepare('drift', 'demo-taken-over-by');
    const report = await driver.inject('drift', PAUSE_MS);
    expect(report).toMatchObject({ missed: true });
    expect(report?.message).toContain('has taken this Redis over');
    expect(await pauses()).toBe(before);
    expect(await successor.inject('drift', 1000)).toMatchObject({ proof: 'Confirmed' });
  });

  it('cannot claim a failover, and its successor reads what was claimed before', async () => {
    const first = storeOf(ground.target('operator'), 'first');
    onTestFinished(() => first.close());
    const second = storeOf(ground.target('operator'), 'second');
    onTestFinished(() => second.close());
    await first.takeCharge(60_000);
    await first.servers[0].claim('one', () => undefined);
    expect(Math.ceil((await ground.observer.pttl('chaosdemo:probe:claim')) / 60_000)).toBe(15);
    await second.takeCharge(60_000);
    let consulted = 0;
    const late = first.servers[0].claim('late', () => (consulted += 1));
    await expect(late).rejects.toThrow('taken this Redis over');
    expect(consulted).toBe(0);
    expect(await second.servers[0].claimed()).toBe('one');
    await second.servers[0].claim('two', () => undefined);
    expect(await first.servers[0].claimed()).toBe('two');
  });
});
