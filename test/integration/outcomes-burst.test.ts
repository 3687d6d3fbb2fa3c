/** What becomes of a burst, and of a pause that is undone, on an approximate limiter: as it stands in the status at the end. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drift, ghosts } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { measureOf, scenarioOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { behindGateways, startGateways } from './support/gateways.ts';
import { expectInconclusive, undoPauses, untilCountdown } from './support/outcome.ts';

describe.skipIf(withoutRealTime)('on an approximate limiter', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());
  afterEach(() => world.deleteAll());

  it(
    'a burst proves nothing if requests stay unanswered, with counts by pod',
    keepingTime(async () => {
      let ready = false;
      const gateways = await startGateways(world, (pod, _, path) =>
        ready && pod !== 0 && path === '/check' ? 'never' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      await world.applySpec('unanswered', {
        rateLimiter: behindGateways(gateways),
        scenarios: [ghosts({ expect: 'Any', countdown: '2s' })],
      });
      await untilCountdown(world, 'unanswered');
      ready = true;
      // 60 requests over three pods: the third that one pod answers admits the limit, and no more.
      const missing = /40 timeouts.*gateway-[0-9a-f]+-[12]: .*2000 ms/;
      const { fault } = await expectInconclusive(world, 'unanswered', 'FaultNotProven', missing);
      expect(fault).toMatchObject({ proof: 'Inconclusive' });
    }),
  );

  it(
    'a burst shows more than the limit though one of three pods refuses it',
    keepingTime(async () => {
      let ready = false;
      const gateways = await startGateways(world, (pod, _, path) =>
        ready && pod === 2 && path === '/check' ? 'refuse' : 'pass',
      );
      onTestFinished(() => gateways.stop());
      const scenarios = [ghosts({ countdown: '2s', expect: 'Held' })];
      await world.applySpec('partly', { rateLimiter: behindGateways(gateways), scenarios });
      await untilCountdown(world, 'partly');
      ready = true;
      const status = await world.ended('partly');
      expect(status.run).toMatchObject({ phase: 'Failed', reason: 'UnexpectedViolation' });
      expect(scenarioOf(status)).toMatchObject({ result: 'Violated', fault: { proof: 'Inconclusive' } });
      expect(scenarioOf(status).message).toMatch(/20 failed.*gateway-[0-9a-f]+-2: /);
    }),
  );

  it(
    'no burst without a pause detects anything, and the run claims no check',
    keepingTime(async () => {
      await world.applySpec('left-out', { scenarios: [drift({ countdown: '2s', expect: 'Held' })] });
      await world.untilStatus('left-out', 'the countdown', ({ chapter }) => /countdown/.test(chapter ?? ''));
      const stop = undoPauses(world);
      onTestFinished(stop);
      const scenario = await expectInconclusive(
        world,
        'left-out',
        'FaultNotProven',
        /accepted CLIENT PAUSE and a write/,
      );
      const { observed, bound } = measureOf(scenario);
      expect(observed ?? 0).toBeLessThanOrEqual(bound ?? 0);
    }),
  );
});
