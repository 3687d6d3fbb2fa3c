/** Resolves the number or name of a pod's port, and the container that serves it. */
import type { Container, Pod } from '../cluster.ts';

/** A port of a pod and the container that serves it. */
export interface ContainerPort {
  port: number;
  container: string;
  /** The image of that container, as in its spec. */
  image: string;
}

/**
 * The TCP port that `port` refers to in this pod; undefined if no container has one of that name. As in Kubernetes, a
 * number need not be declared: it belongs to the container that declares it, else to the first. Names are searched in
 * the containers and then in the sidecars (init containers with restartPolicy Always).
 */
export function resolveContainerPort(pod: Pod, port: number | string): ContainerPort | undefined {
  const containers = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  for (const container of containers) {
    const declared = (container.ports ?? []).find(
      (candidate) =>
        (candidate.protocol ?? 'TCP') === 'TCP' &&
        (typeof port === 'number' ? candidate.containerPort === port : candidate.name === port),
    );
    if (declared !== undefined) return found(container, declared.containerPort);
  }
  const [first] = containers;
  return typeof port === 'number' && first !== undefined ? found(first, port) : undefined;
}

function found(container: Container, port: number): ContainerPort {
  return { port, container: container.name, image: container.image ?? '' };
}
