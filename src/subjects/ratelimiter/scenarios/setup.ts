/** The setup of an attempt, as parts of its history. */
import { type ScenarioSpec, truncate } from '../../../api/index.ts';
import type { FaultReport } from '../../../engine/observed.ts';
import type { EventOf } from '../history/events.ts';
import { DRAWS, HISTORY_VERSION, type Setup } from '../history/setup.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import type { Toolkit } from '../tools.ts';

/** The facts of an attempt besides its toolkit. */
interface Prepared {
  readonly fixture: string;
  /** When the callers were set up; milliseconds since the epoch. */
  readonly preparedAt: number;
  /** Of its steady traffic, if there is any. */
  readonly requestsPerSecond?: number;
}

export function setupOf(
  scenario: ScenarioSpec,
  { control, limiter, target, usualWriteMs }: Toolkit,
  { fixture, preparedAt, requestsPerSecond = 0 }: Prepared,
): Setup {
  const { baseline, storeDoubt } = control() ?? {};
  const lag = baseline?.lags.get(requestsPerSecond)?.lag;
  return {
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario,
    limiter,
    pods: target.pods.map(({ name }) => name),
    redis: target.redis.map(({ podName }) => podName),
    fixture,
    draws: DRAWS,
    preparedAt,
    clockWithinMs: CLOCK_WITHIN_MS,
    usualWriteMs: usualWriteMs(),
    ...(storeDoubt !== undefined && { storeDoubt }),
    ...(baseline && {
      baseline: {
        writeP50Ms: baseline.writeP50Ms,
        writeMaxMs: baseline.writeMaxMs,
        denying: baseline.denying,
        ...(lag !== undefined && { lag }),
      },
    }),
  };
}

/** Evidence of a report that a history keeps, and the characters of each text. */
const [MOST_EVIDENCE, MOST_TEXT] = [16, 2048];

/** A report of the fault as an event, within the bounds of a history. */
export function faultEvent({ endedAt, evidence, message, proof, startedAt }: FaultReport): EventOf<'fault'> {
  return {
    kind: 'fault',
    step: 'Reported',
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(proof && { proof }),
    message: truncate(message, MOST_TEXT),
    evidence: evidence.slice(0, MOST_EVIDENCE).map((text) => truncate(text, MOST_TEXT)),
  };
}
