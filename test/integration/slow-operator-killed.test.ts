/** An operator that is killed in slow writes: they end one pause later, and the next operator ends the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';

const LATENCY_MS = 500;
/** Redis ends a pause at the next turn of its timer; and what the test itself takes. */
const TIMER_MS = 100;
const SLACK_MS = 100;

describe.skipIf(withoutRealTime)('slow writes whose operator is killed', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());

  const apply = async (name: string, duration: string): Promise<void> => {
    const fault = { type: 'Latency', duration, latency: `${LATENCY_MS}ms` };
    const storeOutage = { fault, settle: '2s' };
    const scenarios = [{ name: 'slow', type: 'StoreOutage', countdown: '3s', storeOutage }];
    await world.applySpec(name, { scenarios });
    await world.untilStatus(name, 'the fault to be confirmed', isConfirmed);
  };

  it('end one pause later, and the next operator ends the run', (context) =>
    keepingTime(async () => {
      await apply('killed', '20s');
      await sleep(1000);
      await asAdmin(world, async (redis) => {
        await world.killOperator();
        const killedAt = Date.now();
        await redis.incr('stranger');
        expect(Date.now() - killedAt).toBeLessThan(LATENCY_MS + TIMER_MS + SLACK_MS);
        const writtenAt = Date.now();
        await redis.incr('stranger');
        expect(Date.now() - writtenAt).toBeLessThan(SLACK_MS);
      });
      const pauses = await world.pauses();
      await sleep(3 * LATENCY_MS);
      expect(await world.pauses()).toBe(pauses);
      await world.operator.start();
      const status = await world.ended('killed');
      // The rest of the fault was not watched.
      expect(status).toMatchObject({ phase: 'Errored' });
      expect(scenarioOf(status)).toMatchObject({ result: 'Inconclusive' });
      expect(await world.pauses()).toBe(pauses);
      await world.untilNoLeases();
    })(context));

  it('end with an abort of their run', (context) =>
    keepingTime(async () => {
      await apply('aborted', '30s');
      await world.annotate('aborted', 'abort', '1');
      const status = await world.ended('aborted');
      expect(status.phase).toBe('Aborted');
      const { endedAt = '', until = '' } = scenarioOf(status).fault ?? {};
      expect(Date.parse(endedAt)).toBeLessThan(Date.parse(until) - 10_000);
      expect(await world.takesWrites()).toBe(true);
      const pauses = await world.pauses();
      await sleep(3 * LATENCY_MS);
      expect(await world.pauses()).toBe(pauses);
    })(context));
});
