/**
 * From a ChaosDemo to an open session: who may be touched, whether its Redis may
 * be paused, and the lease on it. Every no is a finding that `decide` turns into
 * a condition, an event and a message.
 */
import { type ChaosDemo, FINALIZER } from '../api/index.ts';
import { runIsOn } from '../demo/context.ts';
import type { Admission } from '../demo/observed.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/kube-types.ts';
import type { ResolvedTarget } from './discovery.ts';
import { discover } from './discovery.ts';
import { awaitReady } from './pod-eligibility.ts';
import { admitRedis } from './redis-admission.ts';
import { RedisLease, redisLeaseName } from './redis-lease.ts';
import { Refusal } from './refusal.ts';

/** Either a target with the lease on its Redis, or why there is none. */
export type Finding =
  | { granted: true; target: ResolvedTarget; lease: RedisLease }
  | { granted: false; admission: Admission };

/** Looks into the admission of ChaosDemos; keeps the leases it waits for, since an expired one is known only by watching it. */
export class AdmissionDesk {
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, RedisLease>();
  /** Since when selected pods of an object are seen not to be Ready. */
  readonly #unreadySince = new Map<string, { generation: number; at: number }>();

  constructor(client: KubeClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  /**
   * Looks once, in a few seconds at most.
   * @throws {ApiError | ApiUnreachableError} if the API server did not say.
   */
  async look(demo: ChaosDemo, signal: AbortSignal): Promise<Finding> {
    const { admission, target } = await discover(this.#client, demo, signal);
    const { generation, uid } = demo.metadata;
    if (!target) {
      this.#unreadySince.delete(uid);
      return { granted: false, admission };
    }
    if (target.notReady.length > 0 && isToBegin(demo)) {
      const now = performance.now();
      const known = this.#unreadySince.get(uid);
      // Another spec may select other pods, which get their own time.
      const since = known?.generation === generation ? known : { generation, at: now };
      this.#unreadySince.set(uid, since);
      return { granted: false, admission: awaitReady(target, now - since.at) };
    }
    this.#unreadySince.delete(uid);
    const allowOtherClients = demo.spec.subject.rateLimiter?.redis.allowOtherClients ?? false;
    const redis = await admitRedis(target, { allowOtherClients, signal });
    if (redis.runId === undefined) return { granted: false, admission: redis.admission };
    return await this.#takeLease(demo, target, redis.runId, signal);
  }

  async #takeLease(
    demo: ChaosDemo,
    target: ResolvedTarget,
    runId: string,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { name, namespace, uid } = demo.metadata;
    const known = this.#waiting.get(uid);
    const lease =
      known?.name === redisLeaseName(runId)
        ? known
        : new RedisLease({ client: this.#client, logger: this.#logger, namespace, demo: name, runId });
    try {
      const attempt = await lease.acquire(signal);
      if (attempt.state === 'acquired') {
        this.#waiting.delete(uid);
        return { granted: true, target, lease };
      }
      this.#waiting.set(uid, lease);
      const message = `${target.store} is in use by ${attempt.heldBy || 'another ChaosDemo'}; this one starts when that has ended`;
      return { granted: false, admission: { state: 'waiting', reason: 'RedisInUse', message } };
    } catch (error) {
      this.#waiting.set(uid, lease);
      if (error instanceof Refusal) return { granted: false, admission: error.admission };
      throw error;
    }
  }

  /**
   * Forgets what an object waited for, when it is gone or has changed its mind.
   * @param keepLease the lease may be that of a process that leads now
   */
  async forget(uid: string, keepLease: boolean): Promise<void> {
    this.#unreadySince.delete(uid);
    const lease = this.#waiting.get(uid);
    this.#waiting.delete(uid);
    await (keepLease ? lease?.leave() : lease?.release());
  }
}

/** Whether the run is still to begin. One that is on may have to release a fault, which waits for no pod. */
function isToBegin({ metadata, status }: ChaosDemo): boolean {
  return !runIsOn(status) && !metadata.finalizers?.includes(FINALIZER);
}
