/** The setup of an attempt, as parts of its history. */
import { truncate } from '../../api/index.ts';
import type { FaultReport } from '../../engine/observed.ts';
import type { EventOf } from '../history/events.ts';
import { HISTORY_VERSION, type Setup } from '../history/setup.ts';
import type { ScenarioPlan, ScenarioType } from './scenario-type.ts';
import type { Toolkit } from './tools.ts';

/** @param fixture of the attempt, which is set up now */
export function setupOf(type: ScenarioType, plan: ScenarioPlan, toolkit: Toolkit, fixture: string): Setup {
  const { control, now, target, usualWriteMs } = toolkit;
  const { storeDoubt } = control() ?? {};
  return {
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario: plan.scenario,
    ...type.setup(plan, toolkit, fixture),
    pods: target.pods.map(({ name }) => name),
    redis: target.redis.map(({ podName }) => podName),
    fixture,
    preparedAt: now(),
    usualWriteMs: usualWriteMs(),
    ...(storeDoubt !== undefined && { storeDoubt }),
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
