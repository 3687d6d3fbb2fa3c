/** Several scenarios of one type in one run, on real pods and a real Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingTime } from '../kit/pace.ts';
import { conditionOf } from '../kit/status.ts';
import { World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

const outage = (name: string, duration: string, accept: string[]) => ({
  name,
  type: 'StoreOutage',
  countdown: '0s',
  storeOutage: { fault: { duration }, settle: '2s', requestsPerSecond: 10, accept },
});

it(
  'injects the fault of each scenario, and judges each by its own parameters',
  keepingTime(async () => {
    const before = await world.pauses();
    const scenarios = [outage('accepted', '3s', ['FailsOpen']), outage('gate', '4s', ['Enforces'])];
    await world.applySpec('twice', { scenarios });
    const status = await world.ended('twice');
    expect((await world.pauses()) - before).toBe(2);
    expect(status.chapters?.map(({ state, title }) => `${title} ${state}`)).toEqual([
      'Welcome Completed',
      'Cluster Health Completed',
      'Setup Completed',
      ...scenarios.flatMap(({ name }) =>
        ['Store Outage Chaos', 'Store Outage Detection', 'Store Outage Diagnosis', 'Recovery'].map(
          (title) => `${title}: ${name} Completed`,
        ),
      ),
      'Verdict Completed',
    ]);
    expect(status.scenarios?.map(({ fault, result }) => [result, fault?.proof])).toEqual([
      ['Held', 'Confirmed'],
      ['Violated', 'Confirmed'],
    ]);
    expect(status).toMatchObject({ phase: 'Failed', result: expect.stringMatching(/ held.*gate violated/) });
    expect(conditionOf(status, 'StoreOutageViolated')).toMatchObject({ status: 'True', reason: 'Violated' });
    expect(conditionOf(status, 'StoreOutageViolated')?.message).toMatch(/^gate: /);
  }),
);
