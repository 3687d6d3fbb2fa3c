/**
 * Leader election: of all processes that run it on the same Lease, at most one
 * leads at a time, and another follows when it stops renewing.
 *
 * Being told "you lead no more" takes a running event loop; a process that was
 * frozen acts before it is told. So whoever does something only a leader may do
 * asks `isLeader()` right before: it looks at the clocks, not at a flag.
 */
import type { KubeClient } from './client.ts';
import type { Logger } from './kube-types.ts';
import { type Clocks, LeaseLock } from './lease-lock.ts';
import { sleep } from './wait.ts';

/** How an elector is set up; the durations are those of kube-controller-manager. */
export interface LeaderElectorOptions {
  client: KubeClient;
  namespace: string;
  /** Name of the Lease. */
  name: string;
  /** Unique among running processes; the pod name is. */
  identity: string;
  logger: Logger;
  /** Others take over after the lease was not renewed for so long. Default 15 s; whole seconds. */
  leaseDurationMs?: number;
  /** We stop leading after so long without a renewal. Default 10 s; the rest of the lease is for work in flight. */
  renewDeadlineMs?: number;
  /** Between attempts. Default 2 s. */
  retryPeriodMs?: number;
  /** Begins leading; `leading` aborts when that ends. Called anew for every term. */
  onStartedLeading: (leading: AbortSignal) => void;
  /** Leading has ended, because the lease was lost or the elector stops. */
  onStoppedLeading?: () => void;
  clocks?: Clocks;
}

/** Takes part in one election. */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #lock: LeaseLock;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  #term: AbortController | undefined;
  #contact: string | undefined;

  /** @throws {RangeError} unless leaseDuration > renewDeadline > 1.2 x retryPeriod, as client-go demands. */
  constructor(options: LeaderElectorOptions) {
    const leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    if (leaseDurationMs <= this.#renewDeadlineMs || leaseDurationMs % 1000 !== 0) {
      throw new RangeError('leaseDuration must be whole seconds and longer than renewDeadline');
    }
    if (this.#renewDeadlineMs <= 1.2 * this.#retryPeriodMs) {
      throw new RangeError('renewDeadline must be longer than 1.2 x retryPeriod');
    }
    this.#options = options;
    this.#lock = new LeaseLock({ ...options, leaseDurationMs, freshMs: this.#renewDeadlineMs });
  }

  /** Whether this process leads at this very moment. */
  isLeader(): boolean {
    return this.#term !== undefined && this.#lock.isFresh();
  }

  /** Who leads, as last read; '' if nobody or not known. */
  get holder(): string {
    return this.#lock.holder;
  }

  /** Takes part until `signal` aborts, then gives the lease up and resolves; never rejects. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const held = await this.#attempt(signal);
      if (signal.aborted) break;
      if (held && this.#term === undefined && this.#lock.isFresh()) this.#startTerm();
      if (this.#term !== undefined && !this.#mayStay(held)) this.#endTerm('lost the lease');
      await sleep(this.#untilNextAttempt(), signal).catch(() => {});
    }
    this.#endTerm('stopping');
    await this.#release();
  }

  /** One attempt: true if held, false if another holds it, undefined if the API server did not say. */
  async #attempt(signal: AbortSignal): Promise<boolean | undefined> {
    const { logger, name } = this.#options;
    // Half the deadline, so that a hung connection leaves time for a second attempt, and never past it.
    let timeoutMs = this.#renewDeadlineMs / 2;
    if (this.#term !== undefined) timeoutMs = Math.min(timeoutMs, this.#untilStale());
    try {
      const attempt = await this.#lock.acquireOrRenew(Math.max(timeoutMs, 1), signal);
      this.#logContact(attempt.held ? 'held' : `held by ${attempt.holder}`);
      return attempt.held;
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ err: error, lease: name }, 'cannot take or renew the lease; will try again');
      return undefined;
    }
  }

  /** A failed renewal is borne while the last one is fresh; a lease in other hands is not. */
  #mayStay(held: boolean | undefined): boolean {
    const { identity } = this.#options;
    if (held === false && this.#lock.holder !== identity) return false;
    return this.#lock.isFresh();
  }

  #startTerm(): void {
    const { logger, name, identity, onStartedLeading } = this.#options;
    this.#term = new AbortController();
    logger.info({ lease: name, identity }, 'started leading');
    try {
      onStartedLeading(this.#term.signal);
    } catch (error) {
      logger.error({ err: error, lease: name }, 'onStartedLeading threw');
    }
  }

  #endTerm(why: string): void {
    if (this.#term === undefined) return;
    const { logger, name, identity, onStoppedLeading } = this.#options;
    const term = this.#term;
    this.#term = undefined;
    logger.info({ lease: name, identity, why }, 'stopped leading');
    term.abort(new Error(`no longer the leader: ${why}`));
    try {
      onStoppedLeading?.();
    } catch (error) {
      logger.error({ err: error, lease: name }, 'onStoppedLeading threw');
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
    return this.#lock.freshUntil - (this.#options.clocks?.monotonic ?? (() => performance.now()))();
  }

  /** Followers spread their attempts so as not to race; the leader must not be late. */
  #untilNextAttempt(): number {
    if (this.#term === undefined) return this.#retryPeriodMs * (1 + 0.5 * Math.random());
    return Math.max(Math.min(this.#retryPeriodMs, this.#untilStale()), 0);
  }

  #logContact(contact: string): void {
    if (contact === this.#contact) return;
    this.#contact = contact;
    this.#options.logger.debug({ lease: this.#options.name, contact }, 'lease changed');
  }
}
