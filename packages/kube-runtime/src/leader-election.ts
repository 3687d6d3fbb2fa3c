/**
 * Leader election: of all processes that run it on the same Lease, at most one leads at a time, and another follows
 * when it stops renewing.
 *
 * A process learns that it lost the lead only if its event loop runs; after a freeze it may act before that. So code
 * that only a leader may run checks `isLeader()` right before acting: it checks the clocks, not a flag.
 *
 * With a lease of L, a renew deadline of D, a retry period of P and a round trip of r to the API server:
 *
 * - **A leader that dies is followed** within L + P + 3r. Its last renewal is seen at most P + r after it was stored,
 *   the lease is taken as soon as it has been seen unchanged for L, and taking it is a read and a write. Counted from
 *   the kill, it is P less if the next renewal was due then. With the defaults: 3.5 s to 4.5 s, and the round trips.
 * - **A stall of the API server is tolerated** if it lasts less than D - 1.5P: 2.25 s. A renewal that hangs was sent P
 *   after the last good one, and is given up D - 1.5P later. P/2 is left then for another attempt, on another
 *   connection.
 * - **No other process leads** for at least L - D after a leader has stopped acting: 1 s. The leader counts from before
 *   its renewal was sent, the follower from after it was stored. That is the time for the leader's last requests to
 *   arrive. Later arrivals are void by other means: writes to the API server carry a resourceVersion, faults a fence in
 *   their target.
 * - **Clocks may run at different rates** as long as the ratio is less than L / D, 4 to 3; absolute times and steps do
 *   not matter.
 *
 * At rest the leader makes 1/P writes a second, each follower some 1.1/P reads.
 */
import type { Logger } from './kube-types.ts';
import { LeaseLock, type LeaseLockOptions } from './lease-lock.ts';
import { sleep, type Timers } from './wait.ts';

/**
 * When an elector with this lease acts, in milliseconds, see the top of this file: others take over if the lease, of
 * integer seconds, was not renewed for its duration; it stops leading after the renew deadline without a renewal, so that
 * the rest is for work in flight; and the retry period is between the starts of two attempts.
 */
function timesOf(leaseDurationMs = 4000) {
  return { leaseDurationMs, renewDeadlineMs: (leaseDurationMs * 3) / 4, retryPeriodMs: leaseDurationMs / 8 };
}

export const ELECTION_DEFAULTS = timesOf();

export interface LeaderElectorOptions
  extends Omit<LeaseLockOptions, 'deleteOnRelease' | 'freshMs' | 'leaseDurationMs'> {
  /** Integer seconds, in milliseconds. Default: {@link ELECTION_DEFAULTS}. */
  leaseDurationMs?: number;
  logger: Logger;
  /** Begins leading. Called for every term. */
  onStartedLeading: () => void;
  /** Leading has ended, because the lease was lost or the elector stops. */
  onStoppedLeading?: () => void;
  /** As in `wait.ts`; by the same time as `clocks`. */
  sleep?: Timers['sleep'];
}

export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #lock: LeaseLock;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #monotonic: () => number;
  #leading = false;
  /** Number of the acquisition on which the term is based. */
  #acquisition = 0;

  constructor(options: LeaderElectorOptions) {
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = timesOf(options.leaseDurationMs);
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    this.#monotonic = options.clocks?.monotonic ?? (() => performance.now());
    this.#options = options;
    this.#lock = new LeaseLock({ ...options, leaseDurationMs, freshMs: this.#renewDeadlineMs });
  }

  /** Whether this process leads now. */
  isLeader(): boolean {
    return this.#leading && this.#acquisition === this.#lock.acquisitions && this.#lock.isFresh();
  }

  /** Takes part until `signal` aborts, then releases the lease and resolves; never rejects. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begunAt = this.#monotonic();
      const held = await this.#attempt(signal);
      if (signal.aborted) break;
      // A frozen process may find a lease that another process took and gave up during the freeze.
      if (this.#acquisition !== this.#lock.acquisitions) this.#endTerm('another process has led since');
      if (held && !this.#leading && this.#lock.isFresh()) this.#startTerm();
      if (this.#leading && !this.#mayStay(held)) this.#endTerm('lost the lease');
      await (this.#options.sleep ?? sleep)(this.#untilNextAttempt(begunAt), signal).catch(() => {});
    }
    this.#endTerm('stopping');
    await this.#release();
  }

  /** One attempt: true if held, false if another holds it, undefined if the API server gave no usable answer. */
  async #attempt(signal: AbortSignal): Promise<boolean | undefined> {
    const { logger, name } = this.#options;
    // A hung connection leaves time for a second attempt, and none goes past the deadline.
    let timeoutMs = this.#renewDeadlineMs - 1.5 * this.#retryPeriodMs;
    if (this.#leading) timeoutMs = Math.min(timeoutMs, this.#untilStale());
    try {
      return (await this.#lock.acquireOrRenew(Math.max(timeoutMs, 1), signal)).held;
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ err: error, lease: name }, 'cannot take or renew the lease; will try again');
      return undefined;
    }
  }

  /** A failed renewal is tolerated while the last one is fresh; a lease held by another is not. */
  #mayStay(held: boolean | undefined): boolean {
    const { identity } = this.#options;
    if (held === false && this.#lock.holder !== identity) return false;
    return this.#lock.isFresh();
  }

  #startTerm(): void {
    const { logger, name, identity } = this.#options;
    this.#leading = true;
    this.#acquisition = this.#lock.acquisitions;
    logger.info({ lease: name, identity }, 'started leading');
    this.#call('onStartedLeading');
  }

  #endTerm(why: string): void {
    if (!this.#leading) return;
    const { logger, name, identity } = this.#options;
    this.#leading = false;
    logger.info({ lease: name, identity, why }, 'stopped leading');
    this.#call('onStoppedLeading');
  }

  #call(callback: 'onStartedLeading' | 'onStoppedLeading'): void {
    const { logger, name } = this.#options;
    try {
      this.#options[callback]?.();
    } catch (error) {
      logger.error({ err: error, lease: name }, `${callback} threw`);
    }
  }

  async #release(): Promise<void> {
    const { logger, name } = this.#options;
    try {
      await this.#lock.release(this.#renewDeadlineMs / 2);
    } catch (error) {
      logger.warn(
        { err: error, lease: name },
        'could not give the lease up; the next leader waits until it runs out',
      );
    }
  }

  #untilStale(): number {
    return this.#lock.freshUntil - this.#monotonic();
  }

  /**
   * Followers spread their attempts to avoid races, but do not miss the lease's expiry; the leader must not be late.
   */
  #untilNextAttempt(begunAt: number): number {
    const now = this.#monotonic();
    if (this.#leading) return Math.max(Math.min(begunAt + this.#retryPeriodMs - now, this.#untilStale()), 0);
    const next = begunAt + this.#retryPeriodMs * (0.8 + 0.2 * Math.random()) - now;
    const runsOut = this.#lock.acquirableAt - now;
    return Math.max(runsOut > 0 ? Math.min(next, runsOut) : next, 0);
  }
}
