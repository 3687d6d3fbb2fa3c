/** Label and field selectors of the Kubernetes API, as a query has them. */
import type { Query } from './client.ts';
import type { KubeObject } from './kube-types.ts';

/**
 * Whether an object has the labels and fields of `labelSelector` and `fieldSelector`: equality, inequality, `key` and
 * `!key`. Sets (`in`, `notin`) are not known.
 * @throws Error for a set
 */
export function selects({ fieldSelector, labelSelector }: Query): (object: KubeObject) => boolean {
  const ofLabels = requirements(labelSelector);
  const ofFields = requirements(fieldSelector);
  return (object) =>
    ofLabels.every((is) => is((key) => object.metadata.labels?.[key])) &&
    ofFields.every((is) => is((path) => fieldOf(object, path)));
}

type Requirement = (valueOf: (key: string) => string | undefined) => boolean;

function requirements(selector: Query[string]): Requirement[] {
  return String(selector ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      if (/\s(in|notin)\s/.test(part)) throw new Error(`the selector "${part}" is not known`);
      const [, key = '', sign, value] = /^([^=!]+)(!=|==?)(.*)$/.exec(part) ?? [];
      if (sign === '!=') return (valueOf) => valueOf(key) !== value;
      if (sign !== undefined) return (valueOf) => valueOf(key) === value;
      if (part.startsWith('!')) return (valueOf) => valueOf(part.slice(1)) === undefined;
      return (valueOf) => valueOf(part) !== undefined;
    });
}

function fieldOf(object: KubeObject, path: string): string | undefined {
  let value: unknown = object;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : value === undefined ? undefined : JSON.stringify(value);
}
