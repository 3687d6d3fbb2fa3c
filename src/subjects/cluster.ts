/**
 * The Kubernetes API that a subject may use, as a port: the operator passes its client, a test its own. Everything is
 * read with the operator's rights, bounded in number and time.
 */
import { z } from 'zod';
import type { Lock } from '../engine/subject.ts';
import type { EventOf } from './history/events.ts';

/** The pod labels that are read. ReplicaSets set the first, StatefulSets and DaemonSets the second. */
export const POD_LABELS = ['pod-template-hash', 'controller-revision-hash'] as const;

const text = z.string().optional();

const container = z.object({
  name: z.string(),
  image: text,
  ports: z
    .array(z.object({ name: text, containerPort: z.number(), protocol: text }))
    .readonly()
    .optional(),
});

/** `containerID` is another one after each restart of the container. */
const containerStatuses = z
  .array(z.object({ name: z.string(), containerID: text, imageID: text, image: text }))
  .readonly()
  .optional();

const labels = z.record(z.string(), z.string()).transform((all) => {
  const kept = Object.entries(all).filter(([name]) => POD_LABELS.some((label) => label === name));
  return Object.fromEntries(kept);
});

/**
 * The fields of a Pod that subjects read. `parse` keeps no others: environment, volumes, annotations and managed fields
 * are most of a pod, and up to a tenant.
 */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    namespace: text,
    labels: labels.optional(),
    deletionTimestamp: text,
  }),
  spec: z
    .object({
      hostNetwork: z.boolean().optional(),
      containers: z.array(container).readonly(),
      initContainers: z
        .array(container.extend({ restartPolicy: text }))
        .readonly()
        .optional(),
    })
    .optional(),
  status: z
    .object({
      podIP: text,
      phase: text,
      conditions: z
        .array(z.object({ type: z.string(), status: z.string() }))
        .readonly()
        .optional(),
      containerStatuses,
      initContainerStatuses: containerStatuses,
    })
    .optional(),
});

export type Pod = z.infer<typeof podSchema>;
export type Container = z.infer<typeof container>;

/** The most bytes of a list of pods: 200 of 80 KiB. */
export const MOST_LIST_BYTES = 16 * 1024 * 1024;

/** The fields of a Service that subjects read. */
export interface Service {
  metadata: { name: string };
  spec?: {
    type?: string;
    selector?: Record<string, string>;
    ports?: readonly { name?: string; port: number; targetPort?: number | string; protocol?: string }[];
  };
}

/** The fields of a Secret that subjects read; values are base64. */
export interface Secret {
  metadata: { name: string };
  type?: string;
  data?: Record<string, string>;
}

/** A 403 of the API server, with its message. Any other failure is another error. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
}

/** A lease on something that only one run may use. */
export interface ClusterLease extends Lock {
  /**
   * One attempt. `heldBy`: the holder, or '' if it is changing hands.
   * @throws ForbiddenError, or an error if the API server gave no answer
   */
  acquire(signal: AbortSignal): Promise<{ state: 'acquired' } | { state: 'held'; heldBy: string }>;
}

/** A small text that outlives the process. */
export interface Note {
  readonly text: string;
  /** Of the object that holds it. */
  readonly version?: string | undefined;
}

/** A note to be stored. */
export interface KeptNote {
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
  /** The note that it replaces, as it was read. */
  readonly before: Note | undefined;
  /** The note is deleted with this pod. */
  readonly pod: { readonly name: string; readonly uid: string | undefined };
}

/** The memory of pods by name, and when it was measured. */
export type PodsMemory = EventOf<'memory'>['pods'];

/** Undefined: there is no such object. @throws ForbiddenError, or an error if the API server gave no answer */
export interface Cluster {
  /** Whether pods may be processes of this machine, at loopback addresses: if its API server is one too. */
  readonly localPods: boolean;
  namespaceLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  service(namespace: string, name: string, signal: AbortSignal): Promise<Service | undefined>;
  secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | undefined>;
  /** One pod by its name. */
  pod(namespace: string, name: string, signal: AbortSignal): Promise<Pod | undefined>;
  /**
   * 'TooMany': there are more than `most`, or they have more than {@link MOST_LIST_BYTES}.
   * @param timed a fault waits for it: it takes precedence over requests that are not timed, and is given up after 1.5
   * s
   */
  pods(
    namespace: string,
    labelSelector: string,
    most: number,
    signal: AbortSignal,
    timed?: boolean,
  ): Promise<readonly Pod[] | 'TooMany'>;
  /** As far as it is known. */
  memory(namespace: string, labelSelector: string, signal: AbortSignal): Promise<PodsMemory>;
  note(namespace: string, name: string, signal: AbortSignal): Promise<Note | undefined>;
  /** @throws also if another client wrote it after it was read */
  keepNote(note: KeptNote, signal: AbortSignal): Promise<void>;
  /** A Lease of that name in the namespace, to be held by `holder`; nothing is written yet. */
  lease(options: { namespace: string; name: string; holder: string }): ClusterLease;
}
