/** An operator that is killed in the midst of a run: the next one ends it rightly, and nothing stays paused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drift, ghosts } from '../kit/demo.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { chapterOnShow } from '../kit/status.ts';
import { World } from '../kit/world.ts';

describe.skipIf(withoutRealTime)('a run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start('approximate');
  });
  afterAll(() => world?.stop());

  it.for([4, 5, 7, 8])(
    'a run has at most one pause, and none left, if its operator dies in chapter %i',
    (chapter, context) =>
      keepingTime(async () => {
        const name = `killed-in-${chapter}`;
        const pauses = await world.pauses();
        const scenarios = [drift({ countdown: '1s' }), ghosts({ countdown: '1s' })];
        await world.applySpec(name, { pace: { dwell: '1s' }, scenarios });
        const shown = await world.untilStatus(
          name,
          `chapter ${chapter}`,
          (now) => chapterOnShow(now) >= chapter,
        );
        // Recovery does not dwell, so it may have just ended.
        expect([chapter, ...(chapter === 7 ? [8] : [])]).toContain(chapterOnShow(shown));
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
