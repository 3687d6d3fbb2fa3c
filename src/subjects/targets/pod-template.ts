/** The template of the controller that a pod was created from, to distinguish a rollout from a restart. */
import { POD_LABELS, type Pod } from '../cluster.ts';

/** Hash of the template; undefined for a pod without such a controller. */
export function templateOf(pod: Pod): string | undefined {
  return POD_LABELS.map((label) => pod.metadata.labels?.[label]).find((value) => value !== undefined);
}

/** The templates of several pods in one text, at most 128 characters; undefined if there are none. */
export function templatesOf(templates: readonly (string | undefined)[]): string | undefined {
  const distinct = [...new Set(templates.filter((template) => template !== undefined))].sort();
  return distinct.length === 0 ? undefined : distinct.join(',').slice(0, 128);
}
