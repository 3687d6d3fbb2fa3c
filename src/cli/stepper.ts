/** Manual pace: the place at which a run waits for a person. Pure. */
import type { ChaosDemoStatus } from '../api/index.ts';
import { numbered } from '../engine/chapter.ts';

/** The place at which a run waits for a person. */
export interface Waiting {
  /** The value for the advance annotation: "<run number>/<chapter being left>". */
  readonly advance: string;
  /** Title of the next chapter; undefined when the last one is being left. */
  readonly next: string | undefined;
}

/** The place at which this run waits for a person; undefined when it does not. */
export function waitingOf(status: ChaosDemoStatus): Waiting | undefined {
  const chapters = numbered(status);
  const place = chapters.findIndex(({ state }) => state === 'Waiting');
  if (!status.run || place < 0) return undefined;
  return { advance: `${status.run.number}/${place + 1}`, next: chapters[place + 1]?.title };
}
