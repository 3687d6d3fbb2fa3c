/** Builds what is stored of a run next to its histories, from its status and the diagnoses of its session. Pure. */
import type { ChaosDemo, ChaosDemoStatus, FaultStatus } from '../../api/index.ts';
import { truncate } from '../../api/index.ts';
import { leftAt } from '../../engine/chapter.ts';
import { diagnosisKey, type Observed } from '../../engine/observed.ts';
import { ms } from '../../engine/time.ts';
import { type Diagnosis, RUN_EVIDENCE_VERSION, type RunPart } from '../../evidence/index.ts';

const MAX_TEXT_LENGTH = 256;

/** The run itself; undefined if the status has none. `leftOut`: a sentence each. */
export function runPartOf(
  { metadata, status = {} }: ChaosDemo,
  leftOut: readonly string[],
  complete: boolean,
): RunPart | undefined {
  const { chapters = [], run } = status;
  if (!run) return undefined;
  const { phase, reason } = run;
  const originMs = ms(run.startedAt);
  return {
    version: RUN_EVIDENCE_VERSION,
    demo: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    run: { number: run.number, runId: run.runId },
    originMs,
    chapters: chapters.flatMap(({ startedAt, title }, i) => {
      if (startedAt === undefined) return [];
      const left = leftAt(chapters, i, run.completedAt);
      const toMs = left === undefined ? undefined : ms(left) - originMs;
      return [{ name: title, fromMs: ms(startedAt) - originMs, toMs }];
    }),
    results: (status.scenarios ?? []).map(({ expect, message, name, result, summary, type }) => ({
      scenario: name,
      type,
      expect,
      result,
      summary,
      message,
    })),
    // As it is stored with the end of the run: the next one may replace the message.
    ...(phase && reason !== undefined && { verdict: { phase, reason, message: status.message ?? '' } }),
    complete,
    leftOut: truncate(leftOut.join('; '), MAX_TEXT_LENGTH),
  };
}

/**
 * The diagnosis of a scenario in the status, in full; undefined: there is none, or another process
 * received it.
 */
export function diagnosisPartOf(
  { diagnoses = [] }: ChaosDemoStatus,
  scenario: string,
  fault: FaultStatus,
  observed: Observed,
): Diagnosis | undefined {
  const { profile = '' } = diagnoses.find((known) => known.scenario === scenario) ?? {};
  return observed.diagnoses[diagnosisKey(fault.id, profile)]?.diagnosis;
}
