/** Which template of its controller a pod was made from, so that a rollout can be told from a restart. */
import { POD_LABELS, type Pod } from '../cluster.ts';

/** Hash of the template; undefined for a pod that no such controller made. */
export function templateOf(pod: Pod): string | undefined {
  return POD_LABELS.map((label) => pod.metadata.labels?.[label]).find((value) => value !== undefined);
}

/** The templates of several pods in one text, 128 characters at most; undefined if there are none. */
export function templatesOf(templates: readonly (string | undefined)[]): string | undefined {
  const distinct = [...new Set(templates.filter((template) => template !== undefined))].sort();
  return distinct.length === 0 ? undefined : distinct.join(',').slice(0, 128);
}
