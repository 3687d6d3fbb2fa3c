/** A short run of `npm run fuzz`, on the control plane that all files share. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fuzz, KEPT_MIB } from '../fuzz/fuzz.ts';
import { type FuzzWorld, startFuzzWorld } from '../fuzz/world.ts';
import { connectAsAdmin, sharedControlPlane } from '../kit/control-plane.ts';

const SEED = 20;
const client = connectAsAdmin({ connections: 16 });
let world: FuzzWorld;

beforeAll(async () => {
  world = await startFuzzWorld(sharedControlPlane(), SEED);
});
afterAll(async () => {
  await client.close();
  await world.stop();
});

it('each generated object is answered and released, and no memory is kept', async () => {
  const report = await fuzz({ client, world, seed: SEED, count: 120 });
  expect(report.failures).toEqual([]);
  expect(report.accepted).toBeGreaterThan(30);
  expect(report.refused).toBeGreaterThan(30);
  expect(report.heapAfterMiB - report.heapBeforeMiB).toBeLessThan(KEPT_MIB);
});
