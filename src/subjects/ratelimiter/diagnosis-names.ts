/** Puts the names of pods into a diagnosis, which knows them by neutral names alone. Pure. */
import { LIMITS, truncate } from '../../api/index.ts';
import type { DiagnosisReport } from '../../demo/observed.ts';
import type { FaultEvidence } from '../../demo/subject.ts';

/** Replicas have the names of their pods everywhere, and the store has it where a component is named. */
export function namedForPeople(report: DiagnosisReport, pods: FaultEvidence['pods']): DiagnosisReport {
  const byName = new Map(pods.map(({ component, pod }) => [component, pod]));
  const named = (text: string): string =>
    text.replace(/\breplica-[1-9][0-9]?\b/g, (name) => byName.get(name) ?? name);
  const { diagnosis, message } = report;
  if (!diagnosis) return { message: named(message) };
  return {
    message: truncate(named(message), LIMITS.message),
    diagnosis: {
      ...diagnosis,
      component: truncate(byName.get(diagnosis.component) ?? named(diagnosis.component), 64),
      summary: truncate(named(diagnosis.summary), LIMITS.message),
      recommendation: truncate(named(diagnosis.recommendation), LIMITS.message),
      evidence: diagnosis.evidence.map((line) => truncate(named(line), LIMITS.evidence)),
    },
  };
}
