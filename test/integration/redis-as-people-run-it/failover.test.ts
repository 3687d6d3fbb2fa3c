/** Real failovers by real Sentinels, which an operator sends: what limiters make of them, and what becomes of the run. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { conditionText, isConfirmed, scenarioOf } from '../../kit/status.ts';
import { World } from '../../kit/world.ts';
import { FailingOver } from './support/failing-over.ts';

const names = ['followed', 'stayed'].map((name) => `${name}-${randomBytes(4).toString('hex')}`);

let world: World;
let followed: FailingOver;
let stayed: FailingOver;
beforeAll(async () => {
  world = await World.start('strict', { beside: names });
  const { supervisor } = world.environment;
  [followed, stayed] = (await Promise.all(
    names.map((namespace) => FailingOver.start(world, namespace, supervisor)),
  )) as [FailingOver, FailingOver];
});
afterAll(async () => {
  followed?.close();
  stayed?.close();
  await world?.stop();
});

describe.skipIf(withoutRealTime)('a failover by an operator', () => {
  it('is survived by a limiter that asks Sentinels, and not by one that keeps its address', (context) =>
    keepingTime(async () => {
      await Promise.all([followed.startLimiter('BySentinel'), stayed.startLimiter('ToAddress')]);
      await Promise.all([followed, stayed].map((each) => each.applySpec('run', each.spec())));
      const [well, stale] = await Promise.all([followed.ended('run'), stayed.ended('run')]);
      console.log(
        JSON.stringify(
          [well, stale].map((e) => [e.message, scenarioOf(e)]),
          null,
          1,
        ),
      );
      expect(scenarioOf(well)).toMatchObject({ result: 'Held', fault: { proof: 'Confirmed' } });
      expect(scenarioOf(stale)).toMatchObject({
        result: 'Violated',
        summary: 'Enforces; no recovery in 2s',
        fault: { proof: 'Confirmed' },
      });
      for (const each of [followed, stayed]) {
        expect(await each.failovers()).toBe(1);
        expect(await each.roles()).toEqual(['slave', 'master']);
      }
    })(context));
});
