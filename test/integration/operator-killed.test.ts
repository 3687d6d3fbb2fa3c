/**
 * An operator that is killed around a fault: what it sent ends in time, and the next operator ends the run. DataLoss and
 * the faults of a fault proxy are in their own files.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { callsOf } from '../kit/calls-of.ts';
import { ghosts } from '../kit/demo.ts';
import { rows } from '../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf, verdictLine } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';
import { asAdmin } from './support/outcome.ts';

/** Longer than an operator waits from one command of a fault to the next. */
const QUIET_MS = 1000;

const outage = (type: string, duration: string): object => ({
  name: 'outage',
  type: 'StoreOutage',
  countdown: '3s',
  storeOutage: {
    fault: { type, duration },
    callerTimeout: '1s',
    settle: '2s',
  },
});

const SCENARIOS = {
  Stall: outage('Stall', '6s'),
  Disconnect: outage('Disconnect', '6s'),
  bursts: ghosts({ expect: 'Any', countdown: '3s' }),
};

const MOMENTS = {
  announced: ({ scenarios }: ChaosDemoStatus) => scenarios?.[0]?.fault !== undefined,
  active: isConfirmed,
  ended: ({ scenarios }: ChaosDemoStatus) => scenarios?.[0]?.fault?.endedAt !== undefined,
};

type Kill = readonly [keyof typeof SCENARIOS, keyof typeof MOMENTS];
const KILLS: readonly Kill[] = [
  ['Disconnect', 'active'],
  ['Stall', 'announced'],
  ['Stall', 'active'],
  ['Stall', 'ended'],
  ['Disconnect', 'announced'],
  ['Disconnect', 'ended'],
  ['bursts', 'announced'],
  ['bursts', 'ended'],
];

describe.skipIf(withoutRealTime)('a fault whose operator is killed', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('strict');
  });
  afterAll(() => world?.stop());

  /** How often Redis has carried out what faults are made of. */
  const commands = () =>
    asAdmin(world, async (redis) => ({
      kills: await callsOf(redis, 'client|kill'),
      pauses: await callsOf(redis, 'client|pause'),
    }));
  const expectNoMore = async (): Promise<void> => {
    const sent = await commands();
    await sleep(QUIET_MS);
    expect(await commands()).toEqual(sent);
  };
  const untilWritesAreTaken = () =>
    until(() => world.takesWrites(), { what: 'Redis to take writes', deadlineMs: 60_000 });

  it.for(rows(KILLS, 2))('ends, and its run too: %s, %s', ([scenario, moment], context) =>
    keepingTime(async () => {
      const name = `${scenario}-${moment}`.toLowerCase();
      const before = await commands();
      await world.applySpec(name, { scenarios: [SCENARIOS[scenario]] });
      await world.untilStatus(name, moment, MOMENTS[moment]);
      await world.killOperator();
      if (scenario === 'Disconnect' && moment === 'active') {
        expect((await commands()).kills).toBeGreaterThan(before.kills);
      }
      await expectNoMore();
      await world.operator.start();
      const status = await world.ended(name);
      expect(verdictLine(status)).toMatch(/^(Succeeded|Errored)/);
      // No process has observed the whole fault.
      if (moment === 'active') expect(scenarioOf(status).result).toBe('Inconclusive');
      expect(await world.takesWrites()).toBe(true);
      expect((await commands()).pauses - before.pauses).toBe(scenario === 'bursts' ? 0 : 1);
      await world.untilNoLeases();
    })(context),
  );

  it('ends with an abort of its run', (context) =>
    keepingTime(async () => {
      const name = 'aborted';
      await world.applySpec(name, { scenarios: [outage('Disconnect', '30s')] });
      await world.untilStatus(name, 'the fault', isConfirmed);
      await world.annotate(name, 'abort', '1');
      const status = await world.ended(name);
      expect(status.phase).toBe('Aborted');
      const { endedAt = '', until = '' } = scenarioOf(status).fault ?? {};
      expect(Date.parse(endedAt)).toBeLessThan(Date.parse(until));
      await untilWritesAreTaken();
      await expectNoMore();
    })(context));
});
