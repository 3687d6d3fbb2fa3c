/**
 * One run at a time on one Redis: a Lease named after the run_id of Redis, in the
 * namespace of the ChaosDemo, held by it for the whole run.
 *
 * The holder is the ChaosDemo and not the process, so that an operator that takes
 * over a run takes over its lease at once. That two processes never work on one
 * ChaosDemo is what leader election is for.
 */
import { isForbidden } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/kube-types.ts';
import { LeaseLock } from '../kube/lease-lock.ts';
import { sleep } from '../kube/wait.ts';
import { permissionDenied } from './refusal.ts';

/** Another ChaosDemo gets the Redis when the lease was not renewed for so long. */
const LEASE_MS = 15_000;
/** A renewal is relied on for so long. */
const FRESH_MS = 10_000;
const RENEW_MS = 3_000;
const CALL_TIMEOUT_MS = 5_000;

/** The end of one attempt. `heldBy` is `namespace/name` of a ChaosDemo, or '' if the lease changed hands this moment. */
export type RedisLeaseAttempt = { state: 'acquired' } | { state: 'held'; heldBy: string };

/** The Lease on one Redis for one ChaosDemo. Keep the object between attempts: only so is an expired lease recognised. */
export class RedisLease {
  readonly name: string;
  readonly #namespace: string;
  readonly #lock: LeaseLock;
  readonly #logger: Logger;
  #renewing: Promise<void> | undefined;
  readonly #stop = new AbortController();

  /** @param runId as `admitRedis` returns it */
  constructor(options: {
    client: KubeClient;
    logger: Logger;
    /** Of the ChaosDemo. */
    namespace: string;
    /** Of the ChaosDemo. */
    demo: string;
    runId: string;
  }) {
    const { client, logger, namespace, demo, runId } = options;
    this.name = redisLeaseName(runId);
    this.#namespace = namespace;
    this.#logger = logger;
    this.#lock = new LeaseLock({
      client,
      namespace,
      name: this.name,
      identity: `${namespace}/${demo}`,
      leaseDurationMs: LEASE_MS,
      freshMs: FRESH_MS,
      deleteOnRelease: true,
    });
  }

  /**
   * One attempt to take the lease. Once acquired it is renewed in the background until
   * `release`. Where another holds it, try again every few seconds.
   *
   * @throws {Refusal} PermissionDenied.
   * @throws {ApiError | ApiUnreachableError} if the API server did not say; the lease may be ours all the same, so try again or `release`.
   */
  async acquire(signal: AbortSignal): Promise<RedisLeaseAttempt> {
    this.#stop.signal.throwIfAborted();
    // The lock takes one call at a time, and from the first success on the renewals make them.
    if (this.#renewing !== undefined) {
      return this.isHeld() ? { state: 'acquired' } : { state: 'held', heldBy: this.#lock.holder };
    }
    const attempt = await this.#attempt(signal);
    if (!attempt.held) return { state: 'held', heldBy: attempt.holder };
    this.#renewing = this.#renew();
    return { state: 'acquired' };
  }

  /** Whether the lease is ours at this moment. Look right before a fault, not earlier. */
  isHeld(): boolean {
    return this.#lock.isFresh();
  }

  /** Stops renewing. The Lease stays as it is: for a process that has taken the run over, or until it runs out. */
  async leave(): Promise<void> {
    this.#stop.abort(new Error(`the lease ${this.name} was left`));
    await this.#renewing;
  }

  /** Stops renewing and deletes the Lease, if it is ours. Never rejects: what cannot be deleted runs out. */
  async release(): Promise<void> {
    await this.leave();
    try {
      await this.#lock.release(CALL_TIMEOUT_MS);
    } catch (error) {
      this.#logger.warn(
        { err: error, lease: this.name },
        `could not delete the lease on Redis; others wait until it runs out, ${LEASE_MS / 1000} s at most`,
      );
    }
  }

  async #attempt(signal: AbortSignal) {
    try {
      return await this.#lock.acquireOrRenew(CALL_TIMEOUT_MS, signal);
    } catch (error) {
      if (isForbidden(error)) throw permissionDenied(this.#namespace, error);
      throw error;
    }
  }

  /** Goes on after a failure and after a loss: `isHeld` tells whoever is about to act. */
  async #renew(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await sleep(RENEW_MS, signal);
        const attempt = await this.#lock.acquireOrRenew(CALL_TIMEOUT_MS, signal);
        if (!attempt.held) {
          this.#logger.warn({ lease: this.name, holder: attempt.holder }, 'lost the lease on Redis');
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn(
          { err: error, lease: this.name },
          'could not renew the lease on Redis; will try again',
        );
      }
    }
  }
}

/** Name of the Lease for a Redis. */
export function redisLeaseName(runId: string): string {
  return `chaosdemo-redis-${runId}`;
}
