/** Label and field selectors of the Kubernetes API, as a query has them. */
import type { Query } from './client.ts';
import type { KubeObject } from './kube-types.ts';

/**
 * Whether an object has the labels and fields of `labelSelector` and `fieldSelector`, of which only equality is known.
 * @throws Error for another requirement
 */
export function selects({ fieldSelector, labelSelector }: Query): (object: KubeObject) => boolean {
  const ofLabels = requirements(labelSelector);
  const ofFields = requirements(fieldSelector);
  return (object) =>
    ofLabels.every(([key, value]) => object.metadata.labels?.[key] === value) &&
    ofFields.every(([path, value]) => fieldOf(object, path) === value);
}

function requirements(selector: Query[string]): [string, string][] {
  const parts = String(selector ?? '')
    .split(',')
    .filter((part) => part !== '');
  const unknown = parts.find((part) => !/^[^=!\s]+=[^=]*$/.test(part));
  if (unknown !== undefined) throw new Error(`the selector "${unknown}" is not known`);
  return parts.map((part) => part.split('=') as [string, string]);
}

function fieldOf(object: KubeObject, path: string): unknown {
  let value: unknown = object;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}
