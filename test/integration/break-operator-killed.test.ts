/** An operator that is killed around a Disconnect: its kills stop with it, and the next one ends the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';

const PHASES: readonly (readonly [string, (status: ChaosDemoStatus) => boolean])[] = [
  ['announced', ({ scenarios }) => scenarios?.[0]?.fault !== undefined],
  ['active', isConfirmed],
  ['over', ({ scenarios }) => scenarios?.[0]?.fault?.endedAt !== undefined],
];

describe.skipIf(withoutRealTime)('a Disconnect whose operator is killed', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());

  const kills = () =>
    asAdmin(world, async (redis) => {
      const info = await redis.info('commandstats');
      return Number(/cmdstat_client\|kill:calls=(\d+)/.exec(info)?.[1] ?? 0);
    });

  it.for(PHASES)('ends in time, and the next operator ends the run: %s', ([phase, isReached], context) =>
    keepingTime(async () => {
      const name = `break-${phase}`;
      const storeOutage = {
        fault: { type: 'Disconnect', duration: '6s' },
        callerTimeout: '1s',
        settle: '2s',
        accept: ['FailsClosed'],
      };
      const scenarios = [
        { name: 'outage', type: 'StoreOutage', expect: 'Held', countdown: '3s', storeOutage },
      ];
      const pauses = await world.pauses();
      await world.applySpec(name, { scenarios });
      await world.untilStatus(name, phase, isReached);
      await world.killOperator();
      const killed = await kills();
      if (phase !== 'announced') expect(killed).toBeGreaterThan(0);
      await sleep(300);
      expect(await kills()).toBe(killed);
      await world.operator.start();
      const status = await world.ended(name);
      expect(status.phase).toMatch(/Succeeded|Errored/);
      // Half of the fault was not watched, so the result is Inconclusive.
      if (phase === 'active') expect(scenarioOf(status).result).toBe('Inconclusive');
      expect(await world.takesWrites()).toBe(true);
      expect((await world.pauses()) - pauses).toBe(1);
      await world.untilNoLeases();
    })(context),
  );

  it('ends with its run: an abort releases the pause, and no kill follows', (context) =>
    keepingTime(async () => {
      const storeOutage = { fault: { type: 'Disconnect', duration: '30s' }, settle: '2s' };
      await world.applySpec('aborted', { scenarios: [{ name: 'outage', type: 'StoreOutage', storeOutage }] });
      await world.untilStatus('aborted', 'the Disconnect', isConfirmed);
      await world.annotate('aborted', 'abort', '1');
      const status = await world.ended('aborted');
      expect(status.phase).toBe('Aborted');
      const { endedAt = '', until = '' } = scenarioOf(status).fault ?? {};
      expect(Date.parse(endedAt)).toBeLessThan(Date.parse(until) - 10_000);
      const killed = await kills();
      expect(await world.takesWrites()).toBe(true);
      await sleep(300);
      expect(await kills()).toBe(killed);
    })(context));
});
