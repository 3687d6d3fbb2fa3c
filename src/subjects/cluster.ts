/**
 * What a subject may ask of Kubernetes, as a port: the operator passes its client,
 * a test its own. Everything is read with the operator's rights, bounded in number and time.
 */

/** The labels of a pod that are read. ReplicaSets give their pods the first, StatefulSets and DaemonSets the second. */
export const POD_LABELS = ['pod-template-hash', 'controller-revision-hash'] as const;

/** As much of a Pod as subjects read; `slimPod` keeps no more. */
export interface Pod {
  metadata: {
    name: string;
    uid: string;
    namespace?: string;
    labels?: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec?: {
    hostNetwork?: boolean;
    containers: readonly Container[];
    initContainers?: readonly (Container & { restartPolicy?: string })[];
  };
  status?: {
    podIP?: string;
    phase?: string;
    conditions?: readonly { type: string; status: string }[];
    containerStatuses?: readonly { name: string; imageID?: string; image?: string }[];
    initContainerStatuses?: readonly { name: string; imageID?: string; image?: string }[];
  };
}

export interface Container {
  name: string;
  image?: string;
  ports?: readonly { name?: string; containerPort: number; protocol?: string }[];
}

/** As much of a Service as subjects read. */
export interface Service {
  metadata: { name: string };
  spec?: {
    type?: string;
    selector?: Record<string, string>;
    ports?: readonly { name?: string; port: number; targetPort?: number | string; protocol?: string }[];
  };
}

/** As much of a Secret as subjects read; values are base64. */
export interface Secret {
  metadata: { name: string };
  type?: string;
  data?: Record<string, string>;
}

/** The API server refused to say, with what it wrote. Everything else that goes wrong is another error. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
}

/** A list has more bytes than is read of one. */
export class ListTooLargeError extends Error {
  override readonly name = 'ListTooLargeError';
  /** How many objects were read before it was given up. */
  readonly objects: number;
  /** How many bytes a list may have. */
  readonly most: number;

  constructor(objects: number, most: number) {
    super(`the list has more than ${most} bytes; ${objects} objects were read`);
    this.objects = objects;
    this.most = most;
  }
}

/** A lease on something that only one run may use. */
export interface ClusterLease {
  /** One attempt. `heldBy`: who holds it, or '' if it changed hands this moment. @throws ForbiddenError, or an error where the API server did not say */
  acquire(signal: AbortSignal): Promise<{ state: 'acquired' } | { state: 'held'; heldBy: string }>;
  isHeld(): boolean;
  release(): Promise<void>;
  leave(): Promise<void>;
}

/** A small text that outlives the process. */
export interface Note {
  readonly text: string;
  /** Of the object that holds it. */
  readonly version?: string | undefined;
}

/** A note to be kept. */
export interface KeptNote {
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
  /** The one that it takes the place of, as it was read. */
  readonly before: Note | undefined;
  /** It goes with this pod. */
  readonly pod: { readonly name: string; readonly uid: string | undefined };
}

/** Undefined: there is no such object. @throws ForbiddenError, or an error where the API server did not say */
export interface Cluster {
  /** Whether pods may be processes of this machine, at loopback addresses: where its API server is one too. */
  readonly localPods: boolean;
  namespaceLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  service(namespace: string, name: string, signal: AbortSignal): Promise<Service | undefined>;
  secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | undefined>;
  /** One pod by its name. @throws ListTooLargeError, and as the others */
  pod(namespace: string, name: string, signal: AbortSignal): Promise<Pod | undefined>;
  /**
   * 'TooMany': there are more than `most`.
   * @param timed a fault waits for it: it goes before those that are not, and is given up after 1.5 s
   * @throws ListTooLargeError, and as the others
   */
  pods(
    namespace: string,
    labelSelector: string,
    most: number,
    signal: AbortSignal,
    timed?: boolean,
  ): Promise<readonly Pod[] | 'TooMany'>;
  /** All pods of the namespace, by their metadata alone. As `pods`. */
  podMetadata(
    namespace: string,
    most: number,
    signal: AbortSignal,
  ): Promise<readonly Pick<Pod, 'metadata'>[] | 'TooMany'>;
  note(namespace: string, name: string, signal: AbortSignal): Promise<Note | undefined>;
  /** @throws also where somebody else wrote it since it was read */
  keepNote(note: KeptNote, signal: AbortSignal): Promise<void>;
  /** A Lease of that name in the namespace, to be held by `holder`; nothing is written yet. */
  lease(options: { namespace: string; name: string; holder: string }): ClusterLease;
}
