/**
 * Metrics of runs, counted from one stored status to the next. Only the process that stores a status counts it, so a
 * run that is taken over counts once. What a run has measured is in its status and its evidence.
 *
 * A status may hold anything that its writers put there. So every label is from a closed set, and other values are not
 * counted, or counted as Other.
 */
import type { ChaosDemoStatus, DiagnosisStatus, SubjectApi } from '../../api/index.ts';
import { endOf, REASON_GROUPS, RESULTS, RULES_PROFILE, VERDICTS } from '../../api/index.ts';
import type { MetricTable } from './metric-table.ts';

/** The ends of a run, as the label `verdict`. */
const ENDS = [...VERDICTS, 'Superseded'] as const;

/** Reasons of an Errored run, as the label `reason`. Only a forged status has another. */
const ERRORED_REASONS = [...REASON_GROUPS.failure, 'Inconclusive', 'Other'];

/** @returns counts what changed from one status to the next, as stored */
export function createRunMetrics(table: MetricTable, subjects: readonly SubjectApi[]) {
  const type = subjects.flatMap(({ faults }) => faults.map((fault) => fault.type));
  const ended = table.counter('chaosdemo_runs_total', 'Runs that have ended, by verdict.', {
    verdict: ENDS,
  });
  const errored = table.counter(
    'chaosdemo_runs_errored_total',
    'Runs that ended Errored, by the reason of the verdict. Also runs that ended Failed because a violation was proven before they ended early, by the reason for that end.',
    { reason: ERRORED_REASONS },
  );
  const injected = table.counter('chaosdemo_faults_injected_total', 'Faults injected, by type of scenario.', {
    type,
  });
  const scenarios = table.counter(
    'chaosdemo_scenarios_total',
    'Scenarios of runs that have ended, by type and result. One that came to no result does not count.',
    { type, result: RESULTS },
  );
  const diagnosed = table.counter(
    'chaosdemo_diagnoses_total',
    'Diagnoses of ended runs: by the rules, by a model, or by the rules in place of a model without a valid answer.',
    { by: ['rules', 'model', 'rules-instead'] },
  );

  return (before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): void => {
    const earlier = before?.run?.number === after.run?.number ? before : undefined;
    for (const { fault, name, type } of after.scenarios ?? []) {
      if (!fault?.startedAt) continue;
      const known = earlier?.scenarios?.find((entry) => entry.name === name)?.fault;
      // Another attempt is another fault.
      if (known?.id !== fault.id || !known.startedAt) injected({ type });
    }
    const verdict = endOf(after);
    if (!verdict || earlier?.run?.phase) return;
    const { phase, reason } = verdict;
    ended({ verdict: reason === 'Superseded' ? reason : phase });
    // The reason of a stop matters to operations even if a violation, proven before, decides the verdict.
    const stopped = phase === 'Errored' ? reason : phase === 'Failed' ? earlier?.run?.reason : undefined;
    if (stopped !== undefined) errored({ reason: ERRORED_REASONS.includes(stopped) ? stopped : 'Other' });
    for (const { result, type } of after.scenarios ?? []) scenarios({ type, result });
    for (const diagnosis of after.diagnoses ?? []) diagnosed({ by: authorOf(diagnosis) });
  };
}

function authorOf({ message, profile, requestedAt }: DiagnosisStatus): string {
  if (profile !== RULES_PROFILE) return 'model';
  // If an object is deleted during its run, the model may still be queried.
  return message === undefined && requestedAt === undefined ? 'rules' : 'rules-instead';
}
