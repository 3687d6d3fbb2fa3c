/** A diagnosis in words, for messages and terminals. */
import type { DiagnosisStatus } from './status.ts';
import { LIMITS, truncate } from './text.ts';

type Located = Pick<DiagnosisStatus, 'class' | 'component' | 'pod'>;

/** The location of the cause: "store (cache-0)", "all replicas"; '' if nothing is wrong. */
export function diagnosedPlace({ component, pod }: Pick<Located, 'component' | 'pod'>): string {
  if (component === 'none') return '';
  const where = component === 'replicas' ? 'all replicas' : component;
  return pod === undefined ? where : `${where} (${pod})`;
}

/** Its author: "hosted, gpt-x" or "rules". */
export function diagnosedBy({
  model,
  profile,
}: Pick<DiagnosisStatus, 'profile'> & { readonly model?: string | undefined }): string {
  return model === undefined ? profile : `${profile}, ${model}`;
}

/** The class and its location: "store-writes-stalled at store (cache-0)", "none". */
export function diagnosedClass(diagnosis: Located): string {
  const place = diagnosedPlace(diagnosis);
  return place === '' ? diagnosis.class : `${diagnosis.class} at ${place}`;
}

/** Why another profile than that of the spec made it, cut to the bound of the schema; undefined: that one made it. */
export function fallbackReason({ message }: Pick<DiagnosisStatus, 'message'>): string | undefined {
  return message === undefined || message === '' ? undefined : truncate(message, LIMITS.message);
}
