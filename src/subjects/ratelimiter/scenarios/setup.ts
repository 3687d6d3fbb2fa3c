/** The setup of an attempt, as parts of its history. */
import { truncate } from '../../../api/index.ts';
import type { FaultReport } from '../../../engine/observed.ts';
import type { EventOf } from '../history/events.ts';
import { DRAWS, HISTORY_VERSION, type Setup } from '../history/setup.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import type { Toolkit } from '../tools.ts';
import type { ScenarioPlan } from './scenario-type.ts';

/** @param fixture of the attempt, whose callers are set up now */
export function setupOf(
  { limiter, rate = 0, scenario }: ScenarioPlan,
  toolkit: Toolkit,
  fixture: string,
): Setup {
  const { control, now, target, usualWriteMs } = toolkit;
  const { baseline, storeDoubt } = control() ?? {};
  const lag = baseline?.lags.get(rate)?.lag;
  return {
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario,
    limiter,
    pods: target.pods.map(({ name }) => name),
    redis: target.redis.map(({ podName }) => podName),
    fixture,
    draws: DRAWS,
    preparedAt: now(),
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
