/**
 * Reduces a pod to the fields of its type: those that are not read (environment, volumes, annotations, managed fields)
 * are most of it, and up to a tenant.
 */
import { POD_LABELS, type Pod } from '../../subjects/cluster.ts';

/** What to keep: all of a value, some of its members, or the same of each item. */
type Mask = true | readonly [Mask] | { readonly [member: string]: Mask };

const members = (...names: readonly string[]): Readonly<Record<string, Mask>> =>
  Object.fromEntries(names.map((name) => [name, true]));

const CONTAINER = {
  ...members('name', 'image'),
  ports: [members('name', 'containerPort', 'protocol')] as const,
};
const STATUS = members('name', 'containerID', 'imageID', 'image');
const POD: Mask = {
  metadata: {
    ...members('name', 'uid', 'namespace', 'deletionTimestamp'),
    labels: members(...POD_LABELS),
  },
  spec: {
    ...members('hostNetwork'),
    containers: [CONTAINER],
    initContainers: [{ ...CONTAINER, ...members('restartPolicy') }],
  },
  status: {
    ...members('podIP', 'phase'),
    conditions: [members('type', 'status')],
    containerStatuses: [STATUS],
    initContainerStatuses: [STATUS],
  },
};

/** The pod with only the members of {@link Pod}, and only the labels of {@link POD_LABELS}. */
export function slimPod(pod: Pod): Pod {
  return kept(pod, POD) as Pod;
}

function kept(value: unknown, mask: Mask): unknown {
  if (mask === true || typeof value !== 'object' || value === null) return value;
  if (isOfItems(mask)) return Array.isArray(value) ? value.map((item) => kept(item, mask[0])) : undefined;
  const members = Object.entries(value).filter(([name]) => Object.hasOwn(mask, name));
  return Object.fromEntries(members.map(([name, member]) => [name, kept(member, mask[name] ?? true)]));
}

function isOfItems(mask: Mask): mask is readonly [Mask] {
  return Array.isArray(mask);
}
