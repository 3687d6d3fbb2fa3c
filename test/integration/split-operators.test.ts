/** Operators that share an API server, each with its own namespaces: one dies, and the runs of the other go on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drift, ghosts } from '../kit/demo.ts';
import { keepingTime } from '../kit/pace.ts';
import { World } from '../kit/world.ts';

let worlds: readonly World[] = [];
beforeAll(async () => {
  worlds = await Promise.all([World.start('approximate'), World.start('approximate')]);
});
afterAll(async () => {
  await Promise.all(worlds.map((world) => world.stop()));
});

const RUN = { scenarios: [drift(), ghosts()], pace: { dwell: '0s' } };

it('a killed operator leaves the runs of another, and continues its own later', (context) =>
  keepingTime(async () => {
    const [dying, living] = worlds as [World, World];
    await Promise.all(worlds.map((world) => world.applySpec('split', RUN)));
    await Promise.all(
      worlds.map((world) =>
        world.untilStatus('split', 'the drift', (status) => status.scenarios?.[0]?.result === 'Violated'),
      ),
    );
    await dying.killOperator();
    const unharmed = await living.ended('split');
    expect(unharmed).toMatchObject({ phase: 'Succeeded', run: { number: 1 } });
    const { run: waiting } = (await dying.object('split')).status ?? {};
    expect(waiting?.completedAt).toBeUndefined();

    // The other operator does not take over what is not in its namespaces.
    await living.applySpec('later', RUN);
    expect(await living.ended('later')).toMatchObject({ phase: 'Succeeded' });
    expect((await dying.object('split')).status?.run).toEqual(waiting);

    await dying.operator.start();
    expect(await dying.ended('split')).toMatchObject({ phase: 'Succeeded', run: { number: 1 } });
  })(context));
