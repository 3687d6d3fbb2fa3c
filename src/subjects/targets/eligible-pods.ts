/**
 * Which of the pods that a selector matched may be touched. Pure: it judges pods that were read from the API server.
 */

import { isIP } from 'node:net';
import { listed } from '@chaosdemo/redis-faults/text';
import { type Container, POD_LABELS, type Pod } from '../cluster.ts';
import { Refusal, waitFor } from './refusal.ts';
import type { PodTarget } from './target.ts';

/** A pod that may be touched. */
export interface TargetPod extends PodTarget {
  readonly uid: string;
  readonly imageId: string;
  /** Hash of the template that its controller created it from. */
  readonly template?: string;
}

export interface EligiblePods {
  /** Sorted by name; at least one. */
  readonly pods: readonly TargetPod[];
  /** Names of matching pods that are alive, but not Ready: they are not touched, and no run begins without them. */
  readonly notReady: readonly string[];
  /** IPs of all matching pods that are alive, Ready or not. */
  readonly addresses: readonly string[];
}

/** The pods that a spec selects. */
export interface PodChoice {
  /** The label selector in the query. */
  readonly selector: string;
  /** Number or name of a container port. */
  readonly port: number | string;
  /** The part of the spec that has both, for messages: "rateLimiter". */
  readonly part: string;
}

/**
 * The pods that may be touched: Ready, not being deleted, not on the host network, with the port, all running one
 * image.
 * @throws {Refusal} NoSuchPods if none is Ready; PodsNotEligible naming the pods that are not eligible.
 */
export function selectPods(pods: readonly Pod[], { selector, port, part }: PodChoice): EligiblePods {
  const alive = pods.filter(isAlive).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const ready = alive.filter(isReady);
  const notReady = alive.filter((pod) => !isReady(pod)).map((pod) => pod.metadata.name);
  if (ready.length === 0) throw noSuchPods(pods.length, notReady, selector, part);

  const onHost = ready.filter((pod) => pod.spec?.hostNetwork === true).map((pod) => pod.metadata.name);
  if (onHost.length > 0) {
    throw new Refusal(
      'PodsNotEligible',
      `${listed(onHost)} run on the host network, where any program may hold the port: run them without hostNetwork, or narrow ${part}.selector`,
    );
  }
  const ports = ready.map((pod) => resolveContainerPort(pod, port));
  const portless = ready.filter((_, index) => ports[index] === undefined).map((pod) => pod.metadata.name);
  if (portless.length > 0) {
    throw new Refusal(
      'PodsNotEligible',
      `${listed(portless)} have no TCP container port named "${port}": name the port so in the pods, or write its name or number in ${part}.port`,
    );
  }
  const chosen = ready.map((pod, index) => describe(pod, ports[index] as ContainerPort));
  const images = new Set(chosen.map(({ imageId }) => imageId));
  if (images.size > 1) throw severalImages(chosen, part);
  return { pods: chosen, notReady, addresses: addressesOf(alive) };
}

/**
 * A run does not begin on a part of the selected pods, because that would judge only a part of the subject.
 * @throws {Refusal} Pending while some are not Ready
 */
export function requireReady(
  { notReady, pods }: Pick<EligiblePods, 'notReady' | 'pods'>,
  part: string,
): void {
  if (notReady.length === 0) return;
  throw waitFor(
    'Pending',
    `Waiting for selected pods that are not Ready: ${listed(notReady)} (${pods.length} of ${pods.length + notReady.length} are): see kubectl describe pod, or narrow ${part}.selector`,
  );
}

/**
 * The template that all live pods share; undefined if one of them is not Ready, if they differ, or if they have none.
 */
export function settledTemplate(pods: readonly Pod[]): string | undefined {
  const alive = pods.filter(isAlive);
  const [first] = alive;
  const template = first && templateOf(first);
  return alive.every((pod) => isReady(pod) && templateOf(pod) === template) ? template : undefined;
}

/** IPs of the live pods that have one. */
export function addressesOf(pods: readonly Pod[]): string[] {
  return pods.filter(isAlive).flatMap(({ status }) => (status?.podIP ? [status.podIP] : []));
}

/** Whether a pod counts at all: neither finished nor being deleted. */
export function isAlive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

/** Whether a pod is Ready and has an IP. */
export function isReady(pod: Pod): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return condition?.status === 'True' && isIP(pod.status?.podIP ?? '') !== 0;
}

/** What is reported of a container. */
export function statusIn({ status = {} }: Pod, container: string) {
  const { containerStatuses = [], initContainerStatuses = [] } = status;
  return [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
}

function describe(pod: Pod, { port, container, image }: ContainerPort): TargetPod {
  const template = templateOf(pod);
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    host: pod.status?.podIP ?? '',
    port,
    // Without a kubelet there may be no imageID; the name of the image distinguishes two versions as well.
    imageId: statusIn(pod, container)?.imageID || image,
    ...(template === undefined ? {} : { template }),
  };
}

function noSuchPods(matched: number, notReady: readonly string[], selector: string, part: string): Refusal {
  if (notReady.length > 0) {
    return new Refusal(
      'NoSuchPods',
      `of ${matched} ${matched === 1 ? 'pod' : 'pods'} that "${selector}" matches none is Ready (${listed(notReady)}): see kubectl describe pod, and run again when they are`,
    );
  }
  const finished = matched === 0 ? '' : ` but ${matched} that ended or are being deleted`;
  return new Refusal(
    'NoSuchPods',
    `"${selector}" matches no pod of this namespace${finished}: compare ${part}.selector with kubectl get pods --show-labels`,
  );
}

function severalImages(pods: readonly TargetPod[], part: string): Refusal {
  const [first] = pods;
  const other = pods.find(({ imageId }) => imageId !== first?.imageId);
  return new Refusal(
    'PodsNotEligible',
    `the selected pods run different images (${first?.name}: ${shortImage(first)}, ${other?.name}: ${shortImage(other)}): wait for the rollout to end, or narrow ${part}.selector`,
  );
}

/** The end of an image ID, which distinguishes two, because the complete one would fill the message. */
function shortImage(pod: TargetPod | undefined): string {
  const imageId = pod?.imageId ?? '';
  return imageId.length <= 40 ? imageId : `…${imageId.slice(-40)}`;
}

type ContainerPort = ReturnType<typeof found>;

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

/** A port of a pod, and the container that serves it with its image as in its spec. */
function found(container: Container, port: number) {
  return { port, container: container.name, image: container.image ?? '' };
}

/** Hash of the template; undefined for a pod without such a controller. */
export function templateOf(pod: Pod): string | undefined {
  return POD_LABELS.map((label) => pod.metadata.labels?.[label]).find((value) => value !== undefined);
}

/** The templates of several pods in one text, at most 128 characters; undefined if there are none. */
export function templatesOf(templates: readonly (string | undefined)[]): string | undefined {
  const distinct = [...new Set(templates.filter((template) => template !== undefined))].sort();
  return distinct.length === 0 ? undefined : distinct.join(',').slice(0, 128);
}
