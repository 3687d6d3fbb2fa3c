/** A ChaosDemo that is deleted in the middle of its story: it goes at once, and everything of it goes with it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drift, ghosts } from '../kit/demo.ts';
import { isNightly } from '../kit/nightly.ts';
import { chapterOnShow, waitingChapter } from '../kit/status.ts';
import { until } from '../kit/until.ts';
import { World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start('approximate');
});
afterAll(() => world?.stop());

/** A pause that a release has to cut short: much longer than anything here may take. */
const PAUSE_S = 40;
const longPause = drift({ counterDrift: { fault: { duration: `${PAUSE_S}s` }, settle: '1s' } });
/** One of the two scenarios each: a burst saves the wait for the end of a pause. */
const CHAPTERS = [
  { chapter: 1, title: 'Welcome', scenario: longPause },
  { chapter: 2, title: 'Cluster Health', scenario: longPause },
  { chapter: 3, title: 'Setup', scenario: longPause },
  { chapter: 4, title: 'Counter Drift Chaos', scenario: longPause },
  { chapter: 5, title: 'Counter Drift Detection', scenario: longPause },
  { chapter: 6, title: 'Counter Drift Diagnosis', scenario: longPause },
  // A diagnosis waits for the end of the pause, so there is none to cut short after it.
  { chapter: 7, title: 'Recovery', scenario: drift() },
  { chapter: 4, title: 'Ghost Allowing Chaos', scenario: ghosts() },
  { chapter: 5, title: 'Ghost Allowing Detection', scenario: ghosts() },
  { chapter: 6, title: 'Ghost Allowing Diagnosis', scenario: ghosts() },
  { chapter: 7, title: 'Verdict', scenario: ghosts() },
];

describe('a ChaosDemo', () => {
  it.each(CHAPTERS.filter(({ chapter }) => isNightly || [3, 5, 7].includes(chapter)))(
    'deleted in chapter $chapter, $title, leaves no lease and no pause',
    async ({ chapter, scenario }) => {
      await world.applySpec('goes', { pace: { mode: 'Manual' }, scenarios: [scenario] });
      await advanceTo('goes', chapter);
      await deleteAndLookAround('goes');
    },
  );

  it('deleted during the countdown injects nothing and leaves nothing', async () => {
    const pauses = await world.pauses();
    const scenarios = [
      drift({ countdown: '20s', counterDrift: { fault: { duration: '10s' }, settle: '1s' } }),
    ];
    await world.applySpec('counting', { scenarios });
    await world.untilStatus('counting', 'the countdown', ({ chapter }) => /countdown/.test(chapter ?? ''));
    await deleteAndLookAround('counting');
    expect(await world.pauses()).toBe(pauses);
  });
});

/** Leads a run by hand until a chapter is on show. */
async function advanceTo(name: string, chapter: number): Promise<void> {
  for (;;) {
    const status = await world.untilStatus(
      name,
      `chapter ${chapter} or a wait`,
      (now) => chapterOnShow(now) >= chapter || waitingChapter(now) !== undefined,
    );
    const onShow = chapterOnShow(status);
    if (onShow > chapter) {
      const { conditions, run, scenarios } = status;
      throw new Error(`It is in chapter ${onShow}: ${JSON.stringify({ run, scenarios, conditions })}`);
    }
    if (onShow === chapter) return;
    const waiting = waitingChapter(status) ?? 0;
    if (status.chapters?.[waiting]?.title === 'Recovery') await holdWrites(2000);
    await world.annotate(name, 'advance', `${status.run?.number}/${waiting}`);
    await world.untilStatus(name, `chapter ${waiting} to be left`, (now) => chapterOnShow(now) > waiting);
  }
}

/** Recovery proves a write, and would end before the test sees it. */
async function holdWrites(ms: number): Promise<void> {
  const redis = await world.redisAs('admin');
  await redis.client('PAUSE', ms, 'WRITE');
  redis.disconnect();
}

async function deleteAndLookAround(name: string): Promise<void> {
  const { status } = await world.object(name);
  const deletedAt = Date.now();
  await world.delete(name);
  await untilNothingIsLeft();
  // The deletion did not wait for the fault to end.
  const planned = Math.max(
    0,
    ...(status?.scenarios ?? []).map(({ fault }) => Date.parse(fault?.until ?? '') || 0),
  );
  if (planned > deletedAt) expect(Date.now()).toBeLessThan(planned);
}

async function untilNothingIsLeft(): Promise<void> {
  await world.untilNoLeases();
  await until(() => world.takesWrites(), { what: 'Redis to take writes', deadlineMs: 5000 });
}
