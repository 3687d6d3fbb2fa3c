/** A pause whose operator was killed: the next operator releases it, even if no run is allowed by then. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drift, rateLimiterOf } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { isConfirmed, scenarioOf, verdictLine } from '../kit/status.ts';
import { World } from '../kit/world.ts';

describe.skipIf(withoutRealTime)('a pause that a killed operator left on', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  const spec = {
    rateLimiter: rateLimiterOf({ limit: { window: '2m' } }),
    scenarios: [drift({ counterDrift: { fault: { duration: '60s' } } })],
  };
  const label = (value: string) => ['label', 'namespace', world.namespace, '--overwrite', value];
  const killSwitch = () => ['-n', world.environment.system, 'configmap', 'chaosdemo-kill-switch'];

  it.for([
    {
      reason: 'NamespaceNotEnabled',
      forbid: () => label('chaosdemo.dev/enabled=false'),
      allow: () => label('chaosdemo.dev/enabled=true'),
    },
    {
      reason: 'KillSwitch',
      forbid: () => ['create', ...killSwitch(), '--from-literal=stop=true'],
      allow: () => ['delete', ...killSwitch()],
    },
  ])(
    'is released by the next one, although nothing may run any more: $reason',
    ({ reason, forbid, allow }, context) =>
      keepingTime(async () => {
        const { kubectl } = world.environment.controlPlane;
        const name = reason.toLowerCase();
        await world.applySpec(name, spec);
        await world.untilStatus(name, 'the pause', isConfirmed);
        await world.killOperator();
        await kubectl.run(forbid());
        try {
          await world.operator.start();
          const status = await world.ended(name);
          expect(verdictLine(status)).toContain(`Aborted ${reason}: `);
          expect(status.run?.message).toContain('released the pause of Redis');
          const { endedAt = '', until = '' } = scenarioOf(status).fault ?? {};
          expect(Date.parse(endedAt)).toBeLessThan(Date.parse(until));
          expect(await world.takesWrites()).toBe(true);
        } finally {
          await kubectl.run(allow());
        }
        await world.delete(name, 60_000);
      })(context),
  );
});
