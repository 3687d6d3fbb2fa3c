/** What a status reports of one scenario. */
import type { ScenarioStatus } from '../../../src/api/index.ts';
import type { Seen } from './seen.ts';

/** What the figures of one scenario are compared with. */
export interface Reported {
  readonly seen: Seen;
  readonly scenario: ScenarioStatus;
  /** Key that was set up for the fault; undefined if none is reported. */
  readonly key: string | undefined;
}
