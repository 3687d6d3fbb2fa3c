import { expect, it } from 'vitest';
import type { Remedy } from '../../src/api/index.ts';
import { type Cast, Director } from './director.ts';
import { type Plan, planOf, type Step } from './plan.ts';
import type { Passed } from './proxies/weather.ts';
import { TortureRecord } from './record.ts';
import { LIMIT } from './settings.ts';

/** A director with one step at each boundary within a remedy, which kills the API server, and how often that was. */
function directing(action: Remedy) {
  const { lanes, seed } = planOf(0, { lanes: 1, ownApiServer: true });
  const steps = (['remedyLimit', 'remedyMeasure'] as const).map((boundary): Step => {
    const when = { boundary, passed: false };
    return { lane: 0, when, action: { to: 'api-server', what: 'kill' }, forMs: 0 };
  });
  const remedy = { action, bounds: { min: 1, max: LIMIT } };
  const plan: Plan = { seed, lanes: lanes.map((lane) => ({ ...lane, remedy })), steps };
  // Nothing is done to a lane here.
  const cast = { lanes: [{}], demos: [{}], replicas: [], killApiServer: async () => {} } as unknown as Cast;
  const record = new TortureRecord();
  const director = new Director(plan, cast, record, { name: 'run-1', say: () => {} });
  const taken = async (boundary: Passed['boundary'], limit: number): Promise<number> => {
    await director.passing(0, { boundary, limit, passed: false });
    // One is done before the next begins.
    await new Promise(setImmediate);
    return record.of('step').length;
  };
  return taken;
}

it('a step follows the new limit of ChangeLimit, and not the measured old one', async () => {
  const taken = directing('ChangeLimit');
  expect(await taken('remedyLimit', LIMIT)).toBe(0);
  expect(await taken('remedyMeasure', LIMIT)).toBe(0);
  expect(await taken('remedyLimit', 3)).toBe(1);
  expect(await taken('remedyMeasure', 3)).toBe(2);
  expect(await taken('remedyMeasure', 3)).toBe(2);
});

it('takes a step at the limit that ResetCounter sets, which is the old one', async () => {
  const taken = directing('ResetCounter');
  expect(await taken('remedyLimit', LIMIT)).toBe(1);
  expect(await taken('remedyMeasure', LIMIT)).toBe(2);
});
