/** Registers local processes as Pods, and sets what a kubelet would: address, readiness, image and container. */
import type { Kubectl } from './kubectl.ts';

/** A process that represents a pod of one container. */
export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly container: string;
  readonly image: string;
  /** Digest of the running program: equal for equal programs. */
  readonly imageId: string;
  readonly port: { readonly name: string; readonly number: number };
  /** A loopback address of this machine. */
  readonly ip: string;
  /** Unknown if the process was running before. */
  readonly pid?: number;
}

/** A pod that exists in the API server. */
export class RegisteredPod {
  readonly spec: PodSpec;
  readonly #kubectl: Kubectl;

  constructor(kubectl: Kubectl, spec: PodSpec) {
    this.#kubectl = kubectl;
    this.spec = spec;
  }

  /** Reports Running and Ready, or NotReady, as a kubelet does after a probe. */
  async setReady(ready: boolean): Promise<void> {
    const { namespace, name } = this.spec;
    const status = statusOf(this.spec, ready);
    const patch = `patch pod ${name} --namespace ${namespace} --subresource=status --type=strategic`.split(
      ' ',
    );
    await this.#kubectl.run([...patch, '--patch', JSON.stringify({ status })]);
  }

  /** Deletes it at once: there is no kubelet to confirm a graceful end. */
  async delete(): Promise<void> {
    const { namespace, name } = this.spec;
    await this.#kubectl.run(['delete', 'pod', name, '--namespace', namespace, '--grace-period=0', '--force']);
  }
}

/** The Pod as an object: Running, and Ready or not. */
export function runningPod(spec: PodSpec, isReady = true): { readonly status: object } {
  return { ...podObject(spec), status: statusOf(spec, isReady) };
}

/** Creates the pods, bound to the node `local`, and marks them Ready: call it once the processes answer. */
export async function registerPods(kubectl: Kubectl, specs: readonly PodSpec[]): Promise<RegisteredPod[]> {
  await kubectl.apply(specs.map(podObject));
  const pods = specs.map((spec) => new RegisteredPod(kubectl, spec));
  await Promise.all(pods.map((pod) => pod.setReady(true)));
  return pods;
}

/** A Service of one port that selects pods by labels. */
export function serviceObject(service: {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly port: number;
  readonly targetPort: string;
}): object {
  const { namespace, name, selector, port, targetPort } = service;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { selector, ports: [{ name: targetPort, port, targetPort }] },
  };
}

function podObject(spec: PodSpec) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: spec.namespace, name: spec.name, labels: spec.labels },
    spec: {
      nodeName: 'local',
      containers: [
        {
          name: spec.container,
          image: spec.image,
          ports: [{ name: spec.port.name, containerPort: spec.port.number }],
        },
      ],
    },
  };
}

function statusOf(spec: PodSpec, ready: boolean): object {
  const now = timestamp();
  return {
    phase: 'Running',
    podIP: spec.ip,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }],
    containerStatuses: [
      {
        name: spec.container,
        image: spec.image,
        imageID: spec.imageId,
        ...(spec.pid !== undefined && { containerID: `process://${spec.pid}` }),
        ready,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      },
    ],
  };
}

/** Now, in integer seconds, in the format of the Kubernetes API. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
