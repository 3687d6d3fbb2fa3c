/** Helpers for tests of whole simulated runs. */

import type { Condition } from '../../src/api/index.ts';
import { currentChapter } from '../../src/engine/chapter.ts';
import { simulatedSpec } from './simulated-subject.ts';
import type { Simulation } from './simulation.ts';

/** The number of the chapter on show; 0 where none is. */
export const chapterOf = ({ status }: Simulation): number => currentChapter(status)?.number ?? 0;

/** Whether a run has come to this chapter. */
export const at =
  (number: number) =>
  (simulation: Simulation): boolean =>
    chapterOf(simulation) >= number;

export const finished = (simulation: Simulation): boolean => simulation.finished();

/** Whether run `number` has ended. */
export const ended =
  (number: number) =>
  ({ status }: Simulation): boolean =>
    status.run?.number === number && status.run.completedAt !== undefined;

type ConditionPart = Pick<Condition, 'status' | 'reason' | 'message'>;

export const condition = ({ status }: Pick<Simulation, 'status'>, type: string): ConditionPart | undefined =>
  status.conditions?.find((candidate) => candidate.type === type);

export const injectedBy = ({ injected }: Simulation, scenario: string) =>
  injected.filter((injection) => injection.scenario === scenario);

/** What is kept for the object, or because of it. */
export const leftBy = ({ activeRuns, entryCount, exists, target }: Simulation) => ({
  exists,
  entries: entryCount,
  runs: activeRuns,
  lockedBy: target.lockedBy,
  isStalled: target.isStalled,
});
/** Of an object that is gone. */
export const NOTHING: ReturnType<typeof leftBy> = {
  exists: false,
  entries: 0,
  runs: 0,
  lockedBy: undefined,
  isStalled: false,
};

export const MANUAL = simulatedSpec({ pace: { mode: 'Manual' } });

/** Both scenarios are expected not to happen. */
export const GATE = simulatedSpec({
  scenarios: [
    { name: 'stall', type: 'Stall', expect: 'Held' },
    { name: 'surge', type: 'Surge', expect: 'Held' },
  ],
});

/** Leads the first run by hand through chapters 1 to `last`. */
export async function advanceThrough(simulation: Simulation, last: number): Promise<void> {
  for (let chapter = 1; chapter <= last; chapter += 1) {
    simulation.annotations = { advance: `1/${chapter}` };
    await simulation.pass(5000);
  }
}
