/**
 * A lease on something that only one run at a time may use.
 *
 * Its holder is the ChaosDemo and not the process, so that an operator that takes over a run takes over its lease at
 * once. Leader election ensures that two processes never work on one ChaosDemo.
 */

import { type KubeApi, LeaseLock, type Logger } from '@chaosdemo/kube-runtime';
import { messageOf, truncate } from '../../api/index.ts';
import type { Clock } from '../../engine/clock.ts';
import type { ClusterLease } from '../../subjects/cluster.ts';
import { withForbiddenError } from './forbidden.ts';

/** Another ChaosDemo may take a lease that was not renewed for this long. */
const LEASE_MS = 15_000;
/** How long a renewal is relied on. */
const FRESH_MS = 10_000;
const RENEW_MS = 3_000;
const CALL_TIMEOUT_MS = 5_000;
/** Characters of a holder: `namespace/name` is shorter, and anyone who can write the Lease can write a megabyte. */
const MOST_OF_HOLDER = 320;

/** Identifies the lease and its holder. */
export interface KubeLeaseOptions {
  readonly client: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly name: string;
  /** `namespace/name` of the ChaosDemo. */
  readonly holder: string;
  /**
   * Whether the term in which this lease was taken has the lead now. If not, it leaves the lease to the term that has.
   */
  readonly leads: () => boolean;
}

/** A Lease for one ChaosDemo. Keep the object between attempts: an expired lease is only recognised that way. */
export class KubeLease implements ClusterLease {
  readonly #options: KubeLeaseOptions;
  readonly #lock: LeaseLock;
  #renewing: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(options: KubeLeaseOptions) {
    const { client, holder, name, namespace } = options;
    this.#options = options;
    this.#lock = new LeaseLock({
      client,
      namespace,
      name,
      identity: holder,
      leaseDurationMs: LEASE_MS,
      freshMs: FRESH_MS,
      deleteOnRelease: true,
    });
  }

  /**
   * One attempt to take the lease. Once acquired it is renewed in the background until `release`. If another holds it,
   * try again every few seconds.
   *
   * @throws {ForbiddenError} the operator may not.
   * @throws {ApiError | ApiUnreachableError} if the API server gave no usable answer; the lease may be ours all the
   * same, so try again or `release`.
   */
  async acquire(signal: AbortSignal): ReturnType<ClusterLease['acquire']> {
    this.#stop.signal.throwIfAborted();
    // The lock takes one call at a time, and after the first success the renewals make them.
    if (this.#renewing !== undefined) {
      return this.isHeld() ? { state: 'acquired' } : { state: 'held', heldBy: cut(this.#lock.holder) };
    }
    const attempt = await withForbiddenError(this.#lock.acquireOrRenew(CALL_TIMEOUT_MS, signal));
    if (!attempt.held) return { state: 'held', heldBy: cut(attempt.holder) };
    this.#renewing = this.#renew();
    return { state: 'acquired' };
  }

  /** Whether the lease is ours now. Check right before a fault, not earlier. */
  isHeld(): boolean {
    return this.#lock.isFresh();
  }

  /**
   * Stops renewing, and deletes the Lease unless `keep`, if it is ours and its term leads. Never rejects: the Lease
   * expires anyway.
   */
  async release(keep = false): Promise<void> {
    this.#stop.abort(new Error(`the lease ${this.#options.name} was left`));
    await this.#renewing;
    if (keep || !this.#options.leads()) return;
    try {
      await this.#lock.release(CALL_TIMEOUT_MS);
    } catch (error) {
      this.#options.logger.warn(
        { err: error, lease: this.#options.name },
        `could not delete a lease; others wait until it runs out, ${LEASE_MS / 1000} s at most`,
      );
    }
  }

  /**
   * Continues after a failure or a loss: `isHeld` is checked before each action. A problem that stays is logged once,
   * because the Lease of a run that waits may be lost for days.
   */
  async #renew(): Promise<void> {
    const { signal } = this.#stop;
    let logged = '';
    const warn = (fields: object, about: string, message: string): void => {
      if (about !== logged) this.#options.logger.warn({ lease: this.#options.name, ...fields }, message);
      logged = about;
    };
    while (!signal.aborted) {
      try {
        await this.#options.clock.sleep(RENEW_MS, signal);
        if (!this.#options.leads()) continue;
        const attempt = await this.#lock.acquireOrRenew(CALL_TIMEOUT_MS, signal);
        if (attempt.held) {
          logged = '';
          continue;
        }
        const holder = cut(attempt.holder);
        warn({ holder }, `held by ${holder}`, 'lost a lease to another ChaosDemo');
      } catch (error) {
        if (signal.aborted) return;
        warn({ err: error }, messageOf(error), 'could not renew a lease; will try again');
      }
    }
  }
}

function cut(holder: string): string {
  return truncate(holder, MOST_OF_HOLDER);
}
