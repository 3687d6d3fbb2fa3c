/** An operator that is killed in the midst of a run: the next one ends it rightly, and nothing stays paused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drift, ghosts, subject } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { chapterOnShow, isConfirmed, scenarioOf, verdictLine } from '../kit/status.ts';
import { World } from '../kit/world.ts';

describe.skipIf(withoutRealTime)('a run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  it.for([4, 5, 7, 8])(
    'ends rightly with at most one pause, and none left on, when the operator is killed in chapter %i',
    (chapter, context) =>
      keepingTime(async () => {
        const name = `killed-in-${chapter}`;
        const pauses = await world.pauses();
        // Each chapter stays long enough to be killed in.
        const scenarios = [drift({ countdown: '1s' }), ghosts({ countdown: '1s' })];
        await world.applySpec(name, { pace: { dwell: '1s' }, scenarios });
        await world.untilStatus(name, `chapter ${chapter}`, (status) => chapterOnShow(status) === chapter);
        await world.killOperator();
        await world.operator.start();
        const status = await world.ended(name);
        expect(status.phase).toMatch(/Succeeded|Errored/);
        if (chapter > 5) expect(status.phase).toBe('Succeeded');
        expect(await world.takesWrites()).toBe(true);
        expect((await world.pauses()) - pauses).toBe(1);
        await world.untilNoLeases();
      })(context),
  );
});

describe.skipIf(withoutRealTime)('a pause that a killed operator left on', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  const spec = {
    subject: subject({ limit: { window: '2m' } }),
    scenarios: [drift({ counterDrift: { pause: '60s' } })],
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
          expect(status.run?.verdict?.message).toContain('released the pause of Redis');
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
