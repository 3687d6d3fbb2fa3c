/**
 * Reduces a pod to the fields of its type: those that are not read (environment, volumes, annotations, managed fields)
 * are most of it, and up to a tenant.
 */
import { type Container, type ContainerStatus, POD_LABELS, type Pod } from '../../subjects/cluster.ts';

/** The pod with only the members of {@link Pod}, and only the labels of {@link POD_LABELS}. */
export function slimPod({ metadata, spec, status }: Pod): Pod {
  const labels = pick(metadata.labels ?? {}, POD_LABELS);
  return {
    metadata: {
      ...pick(metadata, ['name', 'uid', 'namespace', 'deletionTimestamp']),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    ...(spec && {
      spec: {
        ...pick(spec, ['hostNetwork']),
        containers: (spec.containers ?? []).map(slimContainer),
        ...(spec.initContainers && {
          initContainers: spec.initContainers.map((container) => ({
            ...slimContainer(container),
            ...pick(container, ['restartPolicy']),
          })),
        }),
      },
    }),
    ...(status && {
      status: {
        ...pick(status, ['podIP', 'phase']),
        ...(status.conditions && {
          conditions: status.conditions.map((condition) => pick(condition, ['type', 'status'])),
        }),
        ...(status.containerStatuses && { containerStatuses: status.containerStatuses.map(slimStatus) }),
        ...(status.initContainerStatuses && {
          initContainerStatuses: status.initContainerStatuses.map(slimStatus),
        }),
      },
    }),
  };
}

function slimContainer(container: Container): Container {
  return {
    ...pick(container, ['name', 'image']),
    ...(container.ports && {
      ports: container.ports.map((port) => pick(port, ['name', 'containerPort', 'protocol'])),
    }),
  };
}

function slimStatus(status: ContainerStatus): ContainerStatus {
  return pick(status, ['name', 'containerID', 'imageID', 'image']);
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const members = names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]));
  return Object.fromEntries(members) as Pick<T, K>;
}
