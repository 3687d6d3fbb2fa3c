/**
 * From a ChaosDemo to a driver: checks which pods may be touched and whether their Redis may be paused, and acquires
 * the lease on it. Each refusal is an admission that `decide` turns into a condition, an event and a message.
 */
import {
  type AdmissionOptions,
  type AdmittedRedis,
  admitRedis,
  type StoreCheck,
  storeName,
} from '@chaosdemo/redis-faults';
import { messageOf } from '../../api/index.ts';
import type { DiagnosisProfiles } from '../../diagnosis/index.ts';
import type { Target } from '../../engine/observed.ts';
import type { AdmissionRequest, Admitted, SubjectConnector, SubjectPorts } from '../../engine/subject.ts';
import type { Cluster, ClusterLease } from '../cluster.ts';
import { CallerPool } from '../http/caller-pool.ts';
import type { ConnectionBudget } from '../http/connection-budget.ts';
import { atItsAddress } from '../redis/admission/find-redis.ts';
import { type CoolingRedis, RedisCooldown } from '../redis/admission/redis-cooldown.ts';
import { PodsDriver } from '../run/driver.ts';
import { accountsFor, requireCapacity } from '../scenarios/capacity.ts';
import { plansOf, type SubjectKind } from '../scenarios/scenario-type.ts';
import { addressesOf, requireReady, settledTemplate, templatesOf } from '../targets/eligible-pods.ts';
import { formatLabelSelector } from '../targets/label-selector.ts';
import { NamespaceReader } from '../targets/namespace-reader.ts';
import { checkPreconditions, watchPreconditions } from '../targets/precondition-check.ts';
import { NotFoundOutError, orRefusal, Refusal, waitFor } from '../targets/refusal.ts';
import type { Accounts } from '../targets/target.ts';
import {
  type DiscoveredTarget,
  discover,
  findRedisNow,
  findReleasable,
  listSelected,
  lookAtPods,
  type Place,
} from './discovery.ts';
import { PodsInUse, type PodUser } from './pods-in-use.ts';

/** What is known of a Redis whose lease this run holds. */
interface Held {
  readonly target: DiscoveredTarget;
  readonly admitted: AdmittedRedis;
  readonly lock: ClusterLease;
  readonly asking: PodUser;
}

/** Keeps the leases that objects wait for: only watching a lease over time shows that it has expired. */
export class PodsConnector implements SubjectConnector {
  readonly #kind: SubjectKind;
  readonly #ports: SubjectPorts<Cluster>;
  readonly #budget: ConnectionBudget;
  readonly #diagnosis: DiagnosisProfiles;
  readonly #cooldown: RedisCooldown;
  readonly #pods = new PodsInUse();
  /** Of accounts, by the Secret that has them. */
  readonly #pools = new Map<string, CallerPool>();
  /** By uid of the waiting object. */
  readonly #leases = new Map<string, { readonly name: string; readonly lease: ClusterLease }>();

  /**
   * @param budget connections to pods, shared by all runs of this process
   * @param diagnosis explains what was detected
   */
  constructor(
    kind: SubjectKind,
    ports: SubjectPorts<Cluster>,
    budget: ConnectionBudget,
    diagnosis: DiagnosisProfiles,
  ) {
    this.#kind = kind;
    this.#budget = budget;
    this.#diagnosis = diagnosis;
    this.#ports = ports;
    this.#cooldown = new RedisCooldown(ports.cluster, ports.faultCooldownMs, ports.clock);
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const place = this.#placeOf(request);
    const found = await orRefusal(place.namespace, () => this.#look(place, request, signal));
    if (!(found instanceof Refusal)) {
      return { admission: { state: 'granted' }, opened: this.#open(request, place, found) };
    }
    const { admission } = found;
    if (admission.state !== 'refused' || !request.mustUndo) return { admission };
    // A fault that another process left active is released even if no run may start.
    const target = await findReleasable(place, signal);
    return target ? { admission, opened: this.#open(request, place, { target }) } : { admission };
  }

  async findPodTemplate(
    namespace: string,
    spec: AdmissionRequest['spec'],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    return settledTemplate(await listSelected(this.#placeOf({ namespace, spec }), signal));
  }

  async forget(uid: string, keepLock: boolean): Promise<void> {
    const waiting = this.#leases.get(uid);
    this.#leases.delete(uid);
    await waiting?.lease.release(keepLock);
  }

  #placeOf({ namespace, spec }: Pick<AdmissionRequest, 'namespace' | 'spec'>): Place {
    const kind = this.#kind;
    return { cluster: this.#ports.cluster, namespace, part: kind.api.member, spec: kind.partOf(spec) };
  }

  /** @throws {Refusal} the first obstacle */
  async #look(place: Place, request: AdmissionRequest, signal: AbortSignal): Promise<Held> {
    const { spec, toBegin } = request;
    const target = await discover(place, signal);
    const pods = target.pods.length;
    if (toBegin) {
      requireReady(target, place.part);
      requireCapacity(this.#kind, spec, { pods, accounts: target.accounts?.keys.length });
      this.#requireAccounts(request, target);
    }
    const admitted = await admitRedis(target, { ...this.#optionsOf(request), continues: !toBegin }, signal);
    requireCapacity(this.#kind, spec, { pods, masters: admitted.masters.length });
    return await this.#acquire(request, { ...target, redis: admitted.masters }, admitted, signal);
  }

  /** @throws {Refusal} while Redis cools down, or others use it or the pods */
  async #acquire(
    request: AdmissionRequest,
    target: DiscoveredTarget,
    admitted: AdmittedRedis,
    signal: AbortSignal,
  ): Promise<Held> {
    const store = storeName(target.redis);
    const asking = this.#userOf(request, target);
    if (request.toBegin) {
      if (plansOf(this.#kind, request.spec).some(({ mechanism }) => mechanism)) {
        await this.#cooldown.requireOver(coolingRedis(request, target, admitted), store, signal);
      }
      this.#pods.requireFree(asking);
    }
    this.#pods.enter(asking);
    try {
      const lock = this.#leaseFor(request, `chaosdemo-redis-${admitted.ids.lock}`);
      const attempt = await lock.acquire(signal);
      if (attempt.state === 'held') {
        const user = attempt.heldBy || 'another ChaosDemo';
        throw waitFor('RedisInUse', `${store} is in use by ${user}; this one starts when Redis is free`);
      }
      this.#leases.delete(request.uid);
      return { target, admitted, lock, asking };
    } catch (error) {
      this.#pods.leave(asking);
      throw error;
    }
  }

  /** The lease that this object already waits for: only watching it over time shows whether it has expired. */
  #leaseFor(request: AdmissionRequest, name: string): ClusterLease {
    const { namespace, uid } = request;
    const known = this.#leases.get(uid);
    if (known?.name === name) return known.lease;
    // Of a Redis that has restarted since; an attempt that failed may still have acquired it.
    void known?.lease.release();
    const lease = this.#ports.cluster.lease({ namespace, name, holder: `${namespace}/${request.name}` });
    this.#leases.set(uid, { name, lease });
    return lease;
  }

  /** The accounts of a Secret; runs of this process on it share them. */
  #poolOf(namespace: string, { keys, secretName }: Accounts): CallerPool {
    const { clock } = this.#ports;
    const place = `${namespace}/${secretName}`;
    const pool = this.#pools.get(place) ?? new CallerPool(() => clock.monotonic());
    this.#pools.set(place, pool);
    pool.hold(keys);
    return pool;
  }

  /** @throws {Refusal} CoolingDown while others use the accounts that a run needs, or they rest */
  #requireAccounts({ namespace, spec }: AdmissionRequest, { accounts, pods }: DiscoveredTarget): void {
    if (!accounts) return;
    const need = accountsFor(this.#kind, spec, pods.length);
    const rested = this.#poolOf(namespace, accounts).rested(this.#restMsOf(spec)).length;
    if (rested >= need) return;
    throw waitFor(
      'CoolingDown',
      `a run needs about ${need} accounts of ${this.#kind.api.member}.http.callers that were not used within a window, and there are ${rested}: this one starts when there are enough`,
    );
  }

  #open(
    request: AdmissionRequest,
    place: Place,
    { admitted, asking, lock, target }: Pick<Held, 'target'> & Partial<Held>,
  ): NonNullable<Admitted['opened']> {
    const { clock, cluster, logger: parent } = this.#ports;
    const { generation, name, namespace, spec } = request;
    const logger = parent.child({ namespace, name });
    const accounts = target.accounts && this.#poolOf(namespace, target.accounts).forRun(this.#restMsOf(spec));
    const look = async (signal: AbortSignal) =>
      await checkPreconditions(
        new NamespaceReader(cluster, namespace, signal),
        async () => await lookAtPods(place, target.pods, signal),
      );
    const driver = new PodsDriver({
      kind: this.#kind,
      target,
      spec,
      generation,
      now: () => clock.now(),
      ...(accounts && { accountOf: accounts.accountOf }),
      budget: this.#budget.onBehalfOf(namespace),
      diagnosis: this.#diagnosis,
      logger,
      onClose: () => {
        if (asking) this.#pods.leave(asking);
        accounts?.end();
      },
      mayBePaused: request.activeFaults.some(({ type }) =>
        this.#kind.types.some(({ api, fault }) => fault && api.type === type),
      ),
      podIsThere: async (redis, signal) => (await atItsAddress(place, redis, signal)) !== 'Gone',
      lookAtPods: async (signal) => await lookAtPods(place, target.pods, signal, true),
      memoryOfPods: async (signal) =>
        await cluster.memory(namespace, formatLabelSelector(place.spec.selector.matchLabels), signal),
      ...(admitted && { noteFault: this.#cooldown.noteFor(coolingRedis(request, target, admitted)) }),
      findStore: async (signal) => (await findRedisNow(place, signal)).redis,
      checkStore: async (signal) =>
        await checkStore(place, target, { admitted, options: this.#optionsOf(request) }, signal),
      // Without a lock this process may only undo things.
      watchPreconditions: async (emit, signal) =>
        await watchPreconditions(look, { clock, logger }, lock !== undefined, emit, signal),
    });
    return {
      target: targetOf(target),
      driver,
      ...(lock && { lock }),
    };
  }

  /** How long an account is left alone after its last request. */
  #restMsOf(spec: AdmissionRequest['spec']): number {
    return this.#kind.accountRestMs?.(this.#kind.partOf(spec)) ?? 0;
  }

  #optionsOf({ spec }: Pick<AdmissionRequest, 'spec'>): AdmissionOptions {
    return {
      allowOtherClients: this.#kind.partOf(spec).redis.otherClients === 'Allow',
      longestMs: longestPauseOf(this.#kind, { spec }),
      failsOver: plansOf(this.#kind, spec).some(({ failsOver }) => failsOver),
    };
  }

  #userOf({ name, namespace, spec, uid }: AdmissionRequest, { pods }: DiscoveredTarget): PodUser {
    const plans = plansOf(this.#kind, spec);
    return {
      uid,
      namespace,
      name: `${namespace}/${name}`,
      pods: pods.map((pod) => pod.uid),
      byAddress: plans.some(({ isOneCaller }) => isOneCaller),
      requestsPerSecond: Math.max(0, ...plans.map((plan) => plan.trafficTo(pods.length))),
    };
  }
}

/** The longest pause of a run, which Sentinels could notice; milliseconds. */
export function longestPauseOf(kind: SubjectKind, { spec }: Pick<AdmissionRequest, 'spec'>): number {
  const pauses = plansOf(kind, spec).filter(({ mechanism }) => mechanism?.holdsWrites);
  return Math.max(0, ...pauses.map(({ faultMs }) => faultMs));
}

function coolingRedis(
  { namespace }: Pick<AdmissionRequest, 'namespace'>,
  { redis: [{ podName, podUid }] }: DiscoveredTarget,
  { ids }: AdmittedRedis,
): CoolingRedis {
  return { namespace, ids: ids.rest, pod: { name: podName, uid: podUid } };
}

/**
 * Whether a Redis may still be paused: since admission, other clients or Sentinels may have connected, it may have
 * restarted, or its Cluster may have changed.
 * @throws {NotFoundOutError} if Redis or the API server gave no answer
 */
async function checkStore(
  place: Place,
  target: DiscoveredTarget,
  { admitted, options }: { readonly admitted: AdmittedRedis | undefined; readonly options: AdmissionOptions },
  signal: AbortSignal,
): Promise<StoreCheck> {
  const [joined, pods, found] = await Promise.all([
    // Pods that have joined since admission are not strangers.
    listSelected(place, signal),
    Promise.all(target.redis.map((redis) => atItsAddress(place, redis, signal))),
    orRefusal(place.namespace, () => findRedisNow(place, signal)),
  ]).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new NotFoundOutError(messageOf(error), { cause: error });
  });
  // Another server may have the address now. It gets no request at all, because the first one holds the password.
  if (pods.some((pod) => pod !== 'Staying')) return { state: 'restarted' };
  const { faultProxy } = target;
  const addresses = [...target.addresses, ...addressesOf(joined)];
  const now =
    found instanceof Refusal
      ? found
      : await orRefusal(place.namespace, () =>
          admitRedis({ ...found, addresses, faultProxy }, { ...options, connected: true }, signal),
        );
  if (now instanceof Refusal) {
    // A Redis that does not answer may be shared or restarted by now: unknown is not the same as free.
    if (now.reason === 'RedisUnreachable') throw new NotFoundOutError(now.message, { cause: now });
    return { state: 'refused', admission: now.admission };
  }
  const isSame = !admitted || (admitted.runId === now.runId && admitted.layout === now.layout);
  return { state: isSame ? 'free' : 'restarted' };
}

function targetOf({ pods, redis }: DiscoveredTarget): Target {
  const podTemplate = templatesOf(pods.map(({ template }) => template));
  return {
    pods: pods.map(({ name, uid, imageId }) => ({ name, uid, imageId })),
    ...(podTemplate === undefined ? {} : { podTemplate }),
    store: storeName(redis),
  };
}
