/** A short run of `npm run endurance`, on the control plane that all files share. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endure, grownSince } from '../../endurance/endurance.ts';
import { type EnduranceWorld, startEnduranceWorld } from '../../endurance/world.ts';
import { connectAsAdmin, sharedControlPlane } from '../../kit/control-plane.ts';
import { held } from '../../kit/memory.ts';

const TARGETS = 3;
const client = connectAsAdmin({ connections: 8 });
let world: EnduranceWorld;

beforeAll(async () => {
  world = await startEnduranceWorld(sharedControlPlane(), TARGETS);
});
afterAll(async () => {
  await client.close();
  await world.stop();
});

it('keeps nothing of runs that have ended and objects that are gone', async () => {
  await endure({ client, world, runs: TARGETS });
  const once = held();
  await endure({ client, world, runs: 2 * TARGETS });
  expect(await grownSince(once)).toEqual([]);
});
