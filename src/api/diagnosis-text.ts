/** A diagnosis in words, for messages and terminals. */
import type { RemediationStatus } from './remediation.ts';
import type { DiagnosisStatus } from './status.ts';
import { LIMITS, truncate } from './text.ts';

/** Where it says that something is wrong: "store (cache-0)", "all replicas"; '' where nothing is. */
export function diagnosedPlace({ component, pod }: Pick<DiagnosisStatus, 'component' | 'pod'>): string {
  if (component === 'none') return '';
  const where = component === 'replicas' ? 'all replicas' : component;
  return pod === undefined ? where : `${where} (${pod})`;
}

/** Who made it: "hosted, gpt-x" or "rules". */
export function diagnosedBy({ model, profile }: Pick<DiagnosisStatus, 'model' | 'profile'>): string {
  return model === undefined ? profile : `${profile}, ${model}`;
}

/** The class, and where: "store-writes-stalled at store (cache-0)", "none". */
export function diagnosedClass(diagnosis: Pick<DiagnosisStatus, 'anomaly' | 'component' | 'pod'>): string {
  const place = diagnosedPlace(diagnosis);
  return place === '' ? diagnosis.anomaly : `${diagnosis.anomaly} at ${place}`;
}

/** Why another than the profile of the spec made it, cut to the bound of the schema; undefined: that one made it. */
export function fallbackReason({ message }: Pick<DiagnosisStatus, 'message'>): string | undefined {
  return message === undefined || message === '' ? undefined : truncate(message, LIMITS.message);
}

/** The whole in one message: "rules: store-writes-stalled at store (cache-0): A write to store took ...". */
export function diagnosisSentence(diagnosis: DiagnosisStatus): string {
  const { chain, profile } = diagnosis;
  const texts = chain.map(({ text }) => text).join(' ');
  return truncate(`${profile}: ${diagnosedClass(diagnosis)}: ${texts}`, LIMITS.message);
}

/**
 * What was decided on and what came of it: "ResetCounter Applied (asked for by rules): ..."; undefined where nothing was
 * decided on, or it is not over.
 */
export function remedySentence({ remediation }: Pick<DiagnosisStatus, 'remediation'>): string | undefined {
  if (!remediation || !isConcluded(remediation)) return undefined;
  const { action, message, profile, state } = remediation;
  return `${action} ${state}${profile === undefined ? '' : ` (asked for by ${profile})`}: ${message}`;
}

/** Whether a remedy was decided on, and it is known what came of it, or that nobody will know. */
export function isConcluded({ action, state }: Pick<RemediationStatus, 'action' | 'state'>): boolean {
  return action !== undefined && state !== 'Applying';
}
