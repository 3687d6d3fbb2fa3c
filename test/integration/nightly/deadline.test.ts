/** spec.activeDeadline counts only the time that a run works: a manual run may wait longer for a person. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ONE_BURST } from '../../kit/demo.ts';
import { World } from '../../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

// Real time: what counts is the time between two writes of a status by a real operator.
it('a paused run may outlast its deadline, which does not include the pause', async () => {
  await world.applySpec('patient', { ...ONE_BURST, pace: { mode: 'Manual' }, activeDeadline: '1m' });
  const { run } = await world.untilWaiting('patient', 1);
  const deadline = Date.parse(run?.startedAt ?? '') + 60_000;
  await sleep(deadline + 2000 - Date.now());
  expect((await world.status('patient')).chapter).toMatch(/^1.\d+ Welcome \(waiting\)$/);
  await world.annotate('patient', 'advance', '1/1');
  await world.untilWaiting('patient', 2);
  await world.annotate('patient', 'advance', '1/2');
  expect((await world.ended('patient')).run).toMatchObject({ phase: 'Succeeded' });
});
