/** Runs that a rollout starts, with the real operator. Redis is never paused, and no time has to be kept. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ONE_BURST } from '../kit/demo.ts';
import { endedRunOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';
import { rollOut } from './support/rollout.ts';

let world: World;

beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

const ended = (name: string, number: number) =>
  world.untilStatus(name, `the end of run ${number} of ${name}`, (status) => endedRunOf(status) === number);

it('a demo with rerun runs again after a rollout of a new template, no other does', async () => {
  await world.applySpec('rollouts', { ...ONE_BURST, rerun: 'OnPodTemplateChange' });
  await world.applySpec('does-not', ONE_BURST);
  const first = await ended('rollouts', 1);
  await ended('does-not', 1);
  expect(first.run?.podTemplate).toBe('first');

  await rollOut(world.environment, 'rollout-1', {
    async halfway() {
      // One pod new, two old: still the first run, though the operator has checked.
      await world.applySpec('rollouts', { ...ONE_BURST, rerun: 'OnPodTemplateChange', historyLimit: 4 });
      expect((await world.untilSeen('rollouts')).run?.number).toBe(1);
    },
  });
  const second = await ended('rollouts', 2);
  expect(second.run).toMatchObject({ podTemplate: 'rollout-1', phase: 'Succeeded' });
  expect(second.run?.podNames).toEqual([0, 1, 2].map((i) => `ratelimiter-rollout-1-${i}`));
  expect((await world.status('does-not')).run?.number).toBe(1);
});
