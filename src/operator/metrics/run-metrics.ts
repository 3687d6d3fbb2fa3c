/**
 * What is counted of runs, from one stored status to the next. Only the process that stores a status counts it,
 * so a run that is taken over counts once. Figures of a run are counted when it ends: then they are final.
 *
 * Whoever may write a status may write anything into it. So every label is one of a closed set, and what is none
 * of it is not counted, or is counted as Other; a figure that no run can have is left out.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ChaosDemoStatus, ScenarioStatus, SubjectApi } from '../../api/index.ts';
import { PROOFS, REASON_GROUPS, RESULTS } from '../../api/index.ts';
import { type Chapter, STAGES } from '../../demo/chapter.ts';
import { runIsOn } from '../../demo/context.ts';
import { createDiagnosisMetrics } from './diagnosis-metrics.ts';

/** How a run can end, as the label `verdict`. */
export const VERDICTS = ['Succeeded', 'Failed', 'Errored', 'Aborted', 'Superseded'] as const;

/** Why a run can be Errored, as the label `reason`. Only a forged status has another. */
export const ERRORED_REASONS = [...Object.keys(REASON_GROUPS.failure.reasons), 'Inconclusive', 'Other'];

/** Longer than any run that people wait for, in seconds. What is longer comes from a time that somebody forged. */
const LONGEST_SECONDS = 31 * 24 * 3600;

/** No subject counts so far. */
const MOST_FIGURE = 1e9;

/** In seconds. */
const BUCKETS = {
  run: [15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200],
  chapter: [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  detection: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  recovery: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
};

export interface RunMetrics {
  /**
   * Counts what changed from one status to the next, as stored.
   * @param chapters those of the run by its spec; asked for where a chapter is done
   */
  changed(
    before: ChaosDemoStatus | undefined,
    after: ChaosDemoStatus,
    chapters: () => readonly Chapter[],
  ): void;
  /** Counts the end of a run that is on and whose object goes: no status tells of it any more. */
  deleted(status: ChaosDemoStatus, now: number): void;
  /** Counts a run that is on as a term of leadership begins. */
  takenOver(): void;
}

/**
 * Every series starts at 0.
 * @param profiles of diagnoses, besides the rules
 */
export function createRunMetrics(
  registers: Registry[],
  subjects: readonly SubjectApi[],
  profiles: readonly string[] = [],
): RunMetrics {
  const diagnoses = createDiagnosisMetrics(registers, profiles);
  const types = new Set(subjects.flatMap(typesOf));
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: readonly number[], ...labelNames: string[]) =>
    new Histogram({ name, help, buckets: [...buckets], labelNames, registers });

  const runs = counter('chaosdemo_runs_total', 'Runs that have ended, by verdict.', 'verdict');
  const errored = counter(
    'chaosdemo_runs_errored_total',
    'Runs that ended Errored, by the reason of the verdict; and runs that ended Failed since an anomaly was proven before they could not be carried on, by the reason for that.',
    'reason',
  );
  const durations = histogram(
    'chaosdemo_run_duration_seconds',
    'From the start of a run to its end, time spent waiting for a person included, by verdict.',
    BUCKETS.run,
    'verdict',
  );
  const takenOver = counter(
    'chaosdemo_runs_taken_over_total',
    'Runs that were on when this process began to lead: another had begun them, or this one in an earlier term.',
  );
  const chapterDurations = histogram(
    'chaosdemo_chapter_duration_seconds',
    'From the start of a chapter until its work was done, by what the chapter does.',
    BUCKETS.chapter,
    'stage',
  );
  const injected = counter(
    'chaosdemo_faults_injected_total',
    'Faults injected, by type of scenario.',
    'type',
  );
  const released = counter(
    'chaosdemo_faults_released_total',
    'Faults that are over, by type of scenario: a probe has seen the end, or the latest moment for it has passed.',
    'type',
  );
  const scenarios = counter(
    'chaosdemo_scenarios_total',
    'Scenarios of runs that have ended, by type and result. One that came to no result does not count.',
    'type',
    'result',
  );
  const proofs = counter(
    'chaosdemo_fault_proofs_total',
    'Faults of runs that have ended, by type of scenario and by whether they were proven to be there.',
    'type',
    'proof',
  );
  const detections = histogram(
    'chaosdemo_detection_latency_seconds',
    'From the moment an invariant was broken to its detection, by type of scenario.',
    BUCKETS.detection,
    'type',
  );
  const recoveries = histogram(
    'chaosdemo_recovery_latency_seconds',
    'From the end of a fault until the subject was seen at rest, by type of scenario. An upper bound: only the Recovery chapter looks.',
    BUCKETS.recovery,
    'type',
  );
  const figures = subjects.flatMap((subject) =>
    subject.histograms.map(({ name, help, buckets, of }) => ({
      types: new Set(typesOf(subject)),
      metric: histogram(`chaosdemo_${name}`, help, buckets, 'type'),
      of,
    })),
  );

  for (const verdict of VERDICTS) {
    runs.inc({ verdict }, 0);
    durations.zero({ verdict });
  }
  for (const reason of ERRORED_REASONS) errored.inc({ reason }, 0);
  for (const stage of STAGES) chapterDurations.zero({ stage });
  for (const type of types) {
    injected.inc({ type }, 0);
    released.inc({ type }, 0);
    detections.zero({ type });
    recoveries.zero({ type });
    for (const result of RESULTS) scenarios.inc({ type, result }, 0);
    for (const proof of PROOFS) proofs.inc({ type, proof }, 0);
  }
  for (const { metric, types: own } of figures) for (const type of own) metric.zero({ type });

  const runEnded = (verdict: string, seconds: number | undefined): void => {
    if (!isOneOf(VERDICTS, verdict)) return;
    runs.inc({ verdict });
    if (seconds !== undefined) durations.observe({ verdict }, seconds);
  };

  /** What a scenario came to, once, when its run has ended. */
  const scenarioEnded = (scenario: ScenarioStatus): void => {
    const { detectedAfterMs, fault, recoveredAfterMs, result, type } = scenario;
    if (!types.has(type)) return;
    if (isOneOf(RESULTS, result)) scenarios.inc({ type, result });
    if (isOneOf(PROOFS, fault?.proof)) proofs.inc({ type, proof: fault?.proof });
    observe(detections, type, seconds(detectedAfterMs));
    observe(recoveries, type, seconds(recoveredAfterMs));
    if (result !== 'Detected' && result !== 'NotDetected') return;
    for (const { metric, of, types: own } of figures) {
      const value = own.has(type) ? of(scenario) : undefined;
      if (value !== undefined && value >= 0 && value <= MOST_FIGURE) metric.observe({ type }, value);
    }
  };

  return {
    changed(before, after, chapters) {
      const earlier = before?.run?.number === after.run?.number ? before : undefined;
      for (const { fault, name, type } of after.scenarios ?? []) {
        if (!fault || !types.has(type)) continue;
        const known = earlier?.scenarios?.find((entry) => entry.name === name)?.fault;
        // Another attempt is another fault.
        const same = known?.id === fault.id ? known : undefined;
        if (fault.startedAt && !same?.startedAt) injected.inc({ type });
        if (fault.endedAt && !same?.endedAt) released.inc({ type });
      }
      for (const { doneAt, number, startedAt, title } of after.chapters ?? []) {
        const known = earlier?.chapters?.find((chapter) => chapter.number === number);
        if (!doneAt || known?.doneAt) continue;
        // Of another story where the spec was changed in the midst of the run.
        const chapter = chapters().find((each) => each.number === number && each.title === title);
        const took = secondsBetween(startedAt, doneAt);
        if (chapter && took !== undefined) chapterDurations.observe({ stage: chapter.stage }, took);
      }
      const { completedAt, startedAt, verdict } = after.run ?? {};
      if (!verdict || earlier?.run?.verdict) return;
      const { phase, reason } = verdict;
      runEnded(reason === 'Superseded' ? reason : phase, secondsBetween(startedAt, completedAt));
      // What stopped a run matters to operations even if a violation, proven before, decides its verdict.
      const stopped =
        phase === 'Errored' ? reason : phase === 'Failed' ? earlier?.journal?.ending?.reason : undefined;
      if (stopped !== undefined)
        errored.inc({ reason: isOneOf(ERRORED_REASONS, stopped) ? stopped : 'Other' });
      for (const scenario of after.scenarios ?? []) scenarioEnded(scenario);
      diagnoses.runEnded(after);
    },
    deleted(status, now) {
      if (!runIsOn(status)) return;
      runEnded('Aborted', secondsBetween(status.run?.startedAt, new Date(now).toISOString()));
      for (const scenario of status.scenarios ?? []) scenarioEnded(scenario);
      diagnoses.runEnded(status);
    },
    takenOver: () => takenOver.inc(),
  };
}

function typesOf({ faults }: SubjectApi): string[] {
  return faults.map(({ type }) => type);
}

function isOneOf<Value extends string>(values: readonly Value[], value: unknown): value is Value {
  return values.some((each) => each === value);
}

function observe(metric: Histogram, type: string, value: number | undefined): void {
  if (value !== undefined) metric.observe({ type }, value);
}

/** The time between two moments of a status; undefined where it is none that a run can take. */
function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : seconds(Date.parse(to) - Date.parse(from));
}

function seconds(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= LONGEST_SECONDS * 1000 ? ms / 1000 : undefined;
}
