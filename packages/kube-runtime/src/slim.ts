/**
 * Shrinks objects for the cache: its size must not depend on metadata written by others, which Kubernetes bounds at 256
 * KiB for the annotations of one object, and not at all for its labels.
 */
import type { KubeObject, ObjectMeta } from './kube-types.ts';

/** Longer values of annotations are cut: no annotation that controls anything is that long. */
export const longestAnnotation = 256;

/** The metadata that a controller needs of every object; managedFields are often half of an object. */
const kept = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'finalizers',
] as const satisfies readonly (keyof ObjectMeta)[];

/**
 * The object without most of its metadata: labels, owners, managed fields, and all annotations but these, whose values
 * are cut to {@link longestAnnotation} characters. The rest (spec, status, data) is shared with `object`, which is not
 * modified.
 */
export function slim<T extends KubeObject>(object: T, annotations: readonly string[] = []): T {
  const { metadata } = object;
  const members = kept.filter((name) => metadata[name] !== undefined).map((name) => [name, metadata[name]]);
  const values = annotations.flatMap((name) => {
    const value = metadata.annotations?.[name];
    return value === undefined ? [] : [[name, cut(value)]];
  });
  if (values.length > 0) members.push(['annotations', Object.fromEntries(values)]);
  return { ...object, metadata: Object.fromEntries(members) as ObjectMeta };
}

/** In V8 a substring keeps the complete string alive, unless it is copied. */
function cut(value: string): string {
  return value.length <= longestAnnotation
    ? value
    : (JSON.parse(JSON.stringify(value.slice(0, longestAnnotation))) as string);
}
