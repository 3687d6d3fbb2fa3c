/**
 * Metrics of runs, counted from one stored status to the next. Only the process that stores a status counts it, so a
 * run that is taken over counts once. Figures of a run are counted when it ends: then they are final.
 *
 * A status may hold anything that its writers put there. So every label is from a closed set, and other values are not
 * counted, or counted as Other; a figure that no run can have is omitted.
 */
import type { ChaosDemoStatus, ScenarioStatus, SubjectApi } from '../../api/index.ts';
import {
  DETECTED_AFTER,
  endOf,
  measured,
  PROOFS,
  REASON_GROUPS,
  RECOVERED_AFTER,
  RESULTS,
  VERDICTS,
} from '../../api/index.ts';
import { type Chapter, STAGES } from '../../engine/chapter.ts';
import { isRunActive } from '../../engine/fault-times.ts';
import { createDiagnosisMetrics } from './diagnosis-metrics.ts';
import type { MetricTable } from './metric-table.ts';

/** The ends of a run, as the label `verdict`. */
const ENDS = [...VERDICTS, 'Superseded'] as const;

/** Reasons of an Errored run, as the label `reason`. Only a forged status has another. */
const ERRORED_REASONS = [...REASON_GROUPS.failure, 'Inconclusive', 'Other'];

/** Longer than any run that people wait for, in seconds. Longer values come from a forged time. */
const LONGEST_SECONDS = 31 * 24 * 3600;

/** Larger than any figure of a subject so far. */
const MAX_FIGURE = 1e9;

/** In seconds. */
const BUCKETS = {
  run: [15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200],
  chapter: [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  detection: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  recovery: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
};

/** @param profiles of diagnoses, besides the rules */
export function createRunMetrics(
  table: MetricTable,
  subjects: readonly SubjectApi[],
  profiles: readonly string[] = [],
) {
  const countDiagnoses = createDiagnosisMetrics(table, profiles);
  const type = subjects.flatMap(typesOf);
  const ended = table.counter('chaosdemo_runs_total', 'Runs that have ended, by verdict.', {
    verdict: ENDS,
  });
  const errored = table.counter(
    'chaosdemo_runs_errored_total',
    'Runs that ended Errored, by the reason of the verdict. Also runs that ended Failed because a violation was proven before they ended early, by the reason for that end.',
    { reason: ERRORED_REASONS },
  );
  const lasted = table.histogram(
    'chaosdemo_run_duration_seconds',
    'From the start of a run to its end, time spent waiting for a person included, by verdict.',
    BUCKETS.run,
    { verdict: ENDS },
  );
  const takenOver = table.counter(
    'chaosdemo_runs_taken_over_total',
    'Runs that were active when this process began to lead: another had begun them, or this one in an earlier term.',
    {},
  );
  const chapterTook = table.histogram(
    'chaosdemo_chapter_duration_seconds',
    'From the start of a chapter until its work was done, by what the chapter does.',
    BUCKETS.chapter,
    { stage: STAGES },
  );
  const injected = table.counter('chaosdemo_faults_injected_total', 'Faults injected, by type of scenario.', {
    type,
  });
  const released = table.counter(
    'chaosdemo_faults_released_total',
    'Faults that have ended, by type of scenario: a probe has seen the end, or the latest moment for it has passed.',
    { type },
  );
  const scenarios = table.counter(
    'chaosdemo_scenarios_total',
    'Scenarios of runs that have ended, by type and result. One that came to no result does not count.',
    { type, result: RESULTS },
  );
  const proofs = table.counter(
    'chaosdemo_fault_proofs_total',
    'Faults of runs that have ended, by type of scenario and by whether they were proven to be there.',
    { type, proof: PROOFS },
  );
  const detected = table.histogram(
    'chaosdemo_detection_latency_seconds',
    'From the moment an invariant was broken to its detection, by type of scenario.',
    BUCKETS.detection,
    { type },
  );
  const recovered = table.histogram(
    'chaosdemo_recovery_latency_seconds',
    'From the end of a fault until the subject was seen to have recovered, by type of scenario. An upper bound: only the Recovery chapter checks.',
    BUCKETS.recovery,
    { type },
  );
  const figures = subjects.flatMap((subject) =>
    subject.histograms.map(({ name, help, buckets, of }) => ({
      observe: table.histogram(`chaosdemo_${name}`, help, buckets, { type: typesOf(subject) }),
      of,
    })),
  );

  const runEnded = (verdict: string, seconds: number | undefined): void => {
    ended({ verdict });
    lasted({ verdict }, seconds);
  };

  /** Counts the result of a scenario, once, when its run has ended. */
  const scenarioEnded = (scenario: ScenarioStatus): void => {
    const { fault, measures, result, type } = scenario;
    scenarios({ type, result });
    proofs({ type, proof: fault?.proof });
    detected({ type }, seconds(measured(measures, DETECTED_AFTER)));
    recovered({ type }, seconds(measured(measures, RECOVERED_AFTER)));
    if (result !== 'Violated' && result !== 'Held') return;
    for (const { observe, of } of figures) {
      const value = of(scenario);
      if (value !== undefined && value >= 0 && value <= MAX_FIGURE) observe({ type }, value);
    }
  };

  return {
    /**
     * Counts what changed from one status to the next, as stored.
     * @param chapters those of the run by its spec; called if a chapter is done
     */
    changed(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus, chapters: () => readonly Chapter[]) {
      const earlier = before?.run?.number === after.run?.number ? before : undefined;
      for (const { fault, name, type } of after.scenarios ?? []) {
        if (!fault) continue;
        const known = earlier?.scenarios?.find((entry) => entry.name === name)?.fault;
        // Another attempt is another fault.
        const same = known?.id === fault.id ? known : undefined;
        if (fault.startedAt && !same?.startedAt) injected({ type });
        if (fault.endedAt && !same?.endedAt) released({ type });
      }
      for (const [i, { doneAt, startedAt, title }] of (after.chapters ?? []).entries()) {
        if (!doneAt || earlier?.chapters?.[i]?.doneAt) continue;
        // From another list of chapters if the spec was changed during the run.
        const chapter = chapters().find((each) => each.number === i + 1 && each.title === title);
        chapterTook({ stage: chapter?.stage }, secondsBetween(startedAt, doneAt));
      }
      const { completedAt, startedAt } = after.run ?? {};
      const verdict = endOf(after);
      if (!verdict || earlier?.run?.phase) return;
      const { phase, reason } = verdict;
      runEnded(reason === 'Superseded' ? reason : phase, secondsBetween(startedAt, completedAt));
      // The reason of a stop matters to operations even if a violation, proven before, decides the verdict.
      const stopped = phase === 'Errored' ? reason : phase === 'Failed' ? earlier?.run?.reason : undefined;
      if (stopped !== undefined) errored({ reason: ERRORED_REASONS.includes(stopped) ? stopped : 'Other' });
      for (const scenario of after.scenarios ?? []) scenarioEnded(scenario);
      countDiagnoses(after);
    },
    /** Counts the end of an active run whose object is deleted: no later status reports it. */
    deleted(status: ChaosDemoStatus, now: number) {
      if (!isRunActive(status)) return;
      runEnded('Aborted', secondsBetween(status.run?.startedAt, new Date(now).toISOString()));
      for (const scenario of status.scenarios ?? []) scenarioEnded(scenario);
      countDiagnoses(status);
    },
    /** Counts a run that is active when a term of leadership begins. */
    takenOver: () => takenOver({}),
  };
}

function typesOf({ faults }: SubjectApi): string[] {
  return faults.map(({ type }) => type);
}

/** Seconds between two times of a status; undefined if no run can take that long. */
function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : seconds(Date.parse(to) - Date.parse(from));
}

function seconds(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= LONGEST_SECONDS * 1000 ? ms / 1000 : undefined;
}
