/** Finds the replicas of a demo, and takes the lock on their service. */
import { parseDuration } from '../../../../src/api/index.ts';
import type { Admission } from '../../../../src/engine/observed.ts';
import type {
  AdmissionRequest,
  Admitted,
  SubjectConnector,
  SubjectPorts,
} from '../../../../src/engine/subject.ts';
import type { Cluster, ClusterLease } from '../../../../src/subjects/cluster.ts';
import {
  selectPods,
  settledTemplate,
  type TargetPod,
} from '../../../../src/subjects/targets/eligible-pods.ts';
import { formatLabelSelector } from '../../../../src/subjects/targets/label-selector.ts';
import { NamespaceReader } from '../../../../src/subjects/targets/namespace-reader.ts';
import {
  checkPreconditions,
  watchPreconditions,
} from '../../../../src/subjects/targets/precondition-check.ts';
import { Readiness } from '../../../../src/subjects/targets/readiness.ts';
import { orRefusal, permitted, Refusal } from '../../../../src/subjects/targets/refusal.ts';
import { keyValueOf } from './api.ts';
import { KeyValueDriver } from './driver.ts';
import { Replica } from './replica.ts';

const PART = 'keyValue';

export class KeyValueConnector implements SubjectConnector {
  readonly #ports: SubjectPorts<Cluster>;
  readonly #readiness: Readiness;
  /** Leases that are waited for, under the uid of who waits. */
  readonly #waiting = new Map<string, ClusterLease>();

  constructor(ports: SubjectPorts<Cluster>) {
    this.#ports = ports;
    this.#readiness = new Readiness(ports.clock);
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const { mustUndo, name, namespace, spec, toBegin, uid } = request;
    const reader = new NamespaceReader(this.#ports.cluster, namespace, signal);
    const pods = await orRefusal(async () => await this.#find(reader, spec));
    if (pods instanceof Refusal) return { admission: pods.admission };
    const enabled = await orRefusal(async () => await reader.requireEnabled());
    if (enabled instanceof Refusal) {
      const { admission } = enabled;
      return mustUndo ? { admission, opened: this.#open(request, pods.pods) } : { admission };
    }
    const unready = toBegin ? this.#readiness.obstacle(request, pods, PART) : undefined;
    if (unready) return { admission: unready };
    const [first] = pods.pods;
    const holder = `${namespace}/${name}`;
    const lease =
      this.#waiting.get(uid) ??
      this.#ports.cluster.lease({ namespace, name: `chaosdemo-key-value-${first?.uid}`, holder });
    this.#waiting.set(uid, lease);
    const attempt = await orRefusal(async () => await permitted(namespace, lease.acquire(signal)));
    if (attempt instanceof Refusal) return { admission: attempt.admission };
    if (attempt.state === 'held') return { admission: inUse(attempt.heldBy) };
    this.#waiting.delete(uid);
    return { admission: { state: 'granted' }, opened: this.#open(request, pods.pods, lease) };
  }

  async findPodTemplate(
    namespace: string,
    spec: AdmissionRequest['spec'],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const reader = new NamespaceReader(this.#ports.cluster, namespace, signal);
    const found = await orRefusal(
      async () => await reader.pods(formatLabelSelector(keyValueOf(spec).selector.matchLabels ?? {})),
    );
    return found instanceof Refusal || found === undefined ? undefined : settledTemplate(found);
  }

  async forget(uid: string, keepLock: boolean): Promise<void> {
    this.#readiness.forget(uid);
    const lease = this.#waiting.get(uid);
    this.#waiting.delete(uid);
    await (keepLock ? lease?.leave() : lease?.release());
  }

  /** @throws {Refusal} */
  async #find(reader: NamespaceReader, spec: AdmissionRequest['spec']) {
    const { port, selector } = keyValueOf(spec);
    const text = formatLabelSelector(selector.matchLabels ?? {});
    const pods = await reader.pods(text);
    if (!pods)
      throw new Refusal('PodsNotEligible', `"${text}" matches too many pods: narrow ${PART}.selector`);
    return selectPods(pods, { selector: text, port, part: PART });
  }

  #open(request: AdmissionRequest, pods: TargetPod[], lock?: ClusterLease): NonNullable<Admitted['opened']> {
    const { clock, cluster, logger: parent } = this.#ports;
    const { name, namespace, spec } = request;
    const logger = parent.child({ namespace, name });
    const timeoutMs = parseDuration(keyValueOf(spec).timeout);
    const look = async (signal: AbortSignal) => await checkPreconditions(cluster, namespace, pods, signal);
    const driver = new KeyValueDriver({
      clock,
      spec,
      replicas: pods.map((pod) => new Replica(pod, timeoutMs)),
      watchPreconditions: async (emit, signal) =>
        await watchPreconditions(look, { clock, logger }, lock !== undefined, emit, signal),
    });
    const target = {
      pods: pods.map(({ imageId, name: pod, uid }) => ({ name: pod, uid, imageId })),
      store: pods.at(-1)?.name ?? '',
    };
    return { target, driver, ...(lock && { lock }) };
  }
}

function inUse(holder: string): Admission {
  const message = `the service is in use by ${holder || 'another ChaosDemo'}; this one starts when that has ended`;
  return { state: 'waiting', reason: 'ServiceInUse', message };
}
