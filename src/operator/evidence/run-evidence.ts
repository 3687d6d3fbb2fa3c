/** Builds the readable record of a run from its status and the observations of its session. Pure. */
import type { ChaosDemo, ChaosDemoStatus, FaultStatus } from '../../api/index.ts';
import { endOf, truncate } from '../../api/index.ts';
import { leftAt } from '../../engine/chapter.ts';
import { watchEnd } from '../../engine/fault-times.ts';
import { diagnosisKey, type InvariantReading, type Observed } from '../../engine/observed.ts';
import type { FaultEvidence, ObservedBand, Scenario } from '../../engine/subject.ts';
import { ms } from '../../engine/time.ts';
import {
  type Diagnosis,
  RUN_EVIDENCE_VERSION,
  type RunPart,
  type ScenarioEvidence,
  shifted,
} from '../../evidence/index.ts';

const MAX_TEXT_LENGTH = 256;

/** The run itself; undefined if the status has none. `leftOut`: a sentence each. */
export function runPartOf(
  { metadata, status = {} }: ChaosDemo,
  leftOut: readonly string[],
  complete: boolean,
): RunPart | undefined {
  const { chapters = [], run } = status;
  if (!run) return undefined;
  const verdict = endOf(run);
  const originMs = ms(run.startedAt);
  return {
    version: RUN_EVIDENCE_VERSION,
    demo: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    run: { number: run.number, ...(run.runId !== undefined && { runId: run.runId }) },
    originMs,
    chapters: chapters.flatMap(({ startedAt, title }, i) => {
      if (startedAt === undefined) return [];
      const left = leftAt(chapters, i, run.completedAt);
      return [
        {
          name: title,
          fromMs: ms(startedAt) - originMs,
          ...(left !== undefined && { toMs: ms(left) - originMs }),
        },
      ];
    }),
    results: (status.scenarios ?? []).map(({ expect, message, name, result, summary, type }) => ({
      scenario: name,
      type,
      expect,
      ...(result !== undefined && { result }),
      ...(summary !== undefined && { summary }),
      ...(message !== undefined && { message }),
    })),
    ...(verdict && { verdict }),
    complete,
    leftOut: truncate(leftOut.join('; '), MAX_TEXT_LENGTH),
  };
}

/** The observations of one scenario of the run, with the events around it. */
export function scenarioPartOf(
  status: ChaosDemoStatus,
  scenario: Scenario,
  fault: FaultStatus,
  { bands, bundle, originMs, pods }: FaultEvidence,
  observed: Observed,
): ScenarioEvidence {
  const started = fault.startedAt !== undefined || bands.length > 0;
  // Until it begins, or if it never does, times count from its planned start.
  const atMs = started ? originMs : ms(fault.plannedAt);
  const runAt = ms(status.run?.startedAt ?? '');
  const since = (at: number): number => Math.round(at - runAt);
  return {
    name: scenario.name,
    type: scenario.type,
    pods: [...pods],
    bundleAtMs: since(atMs),
    bands: [...bandsOf(scenario, fault, observed.readings[fault.id]), ...bands]
      .slice(0, 16)
      .map(({ from, kind, text, to }) => ({
        kind,
        fromMs: since(from),
        ...(to !== undefined && { toMs: since(to) }),
        text: truncate(text, MAX_TEXT_LENGTH),
      })),
    detections: detectionsOf(scenario, observed.readings[fault.id], since),
    bundle: shifted(bundle, Math.round(originMs - atMs)),
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

/** Rounded so that their difference equals the measure `detectedAfter` in the status. */
function detectionsOf(
  { invariant }: Scenario,
  reading: InvariantReading | undefined,
  since: (at: number) => number,
): ScenarioEvidence['detections'] {
  const { brokenAt, detectedAt, summary = '' } = reading ?? {};
  const detections: { atMs: number; text: string }[] = [];
  if (brokenAt !== undefined) detections.push({ atMs: since(brokenAt), text: `broken: ${invariant}` });
  if (detectedAt !== undefined) {
    const atMs =
      brokenAt === undefined
        ? since(detectedAt)
        : since(brokenAt) + Math.max(0, Math.round(detectedAt - brokenAt));
    detections.push({ atMs, text: `detected: ${summary}` });
  }
  return detections.map(({ atMs, text }) => ({ atMs, text: truncate(text, MAX_TEXT_LENGTH) }));
}

function bandsOf(
  scenario: Scenario,
  fault: FaultStatus,
  reading: InvariantReading | undefined,
): ObservedBand[] {
  const plannedAt = ms(fault.plannedAt);
  const bands: ObservedBand[] = [
    { kind: 'countdown', from: plannedAt - scenario.countdownMs, to: plannedAt, text: scenario.faultTitle },
  ];
  if (fault.startedAt === undefined) return bands;
  const endedAt = fault.endedAt === undefined ? undefined : ms(fault.endedAt);
  bands.push({
    kind: 'fault',
    from: ms(fault.startedAt),
    ...(endedAt !== undefined && { to: endedAt }),
    text: fault.message ?? scenario.faultTitle,
  });
  if (endedAt !== undefined) {
    const to = watchEnd(fault, scenario, reading);
    bands.push({ kind: 'settle', from: endedAt, to, text: 'watched on, until late counts have arrived' });
  }
  return bands;
}
