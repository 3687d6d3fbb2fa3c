/**
 * One Lease (coordination.k8s.io/v1) used as a lock: the protocol to acquire, renew and release it, one attempt at a
 * time. Leader election runs it in a loop; any other resource that only one process may hold can do the same.
 *
 * Clocks of different machines are never compared. Another holder counts as alive until its record has been unchanged
 * for the lease duration on this process's monotonic clock, as in client-go. Our own hold is timed from before the last
 * successful renewal was sent, on the monotonic clock and on the one that includes the sleep of the machine. The wall
 * clock is recorded for people and decides nothing: it may be set.
 */
import { uptime } from 'node:os';
import { ifFound, isConflict, isNotFound } from './api-error.ts';
import type { KubeApi } from './client.ts';
import { type KubeObject, microTime } from './kube-types.ts';
import { resourcePath } from './resource-path.ts';

/** A Lease in its JSON form. */
export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

/** The record in a Lease; times are MicroTimes. */
export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

/** The clocks, in milliseconds; replaced in tests. */
export interface Clocks {
  /** Never jumps back, but may pause while the machine sleeps. */
  monotonic: () => number;
  /** Never jumps back, includes the sleep of the machine, and may be as coarse as {@link BOOT_STEP_MS}. */
  boot: () => number;
  wall: () => number;
}

/** Identifies the lease and this process. */
export interface LeaseLockOptions {
  client: Pick<KubeApi, 'request'>;
  namespace: string;
  name: string;
  /**
   * Written as the holder. A process with the same identity takes the lease over at once, so it must be unique among
   * processes that run at the same time.
   */
  identity: string;
  /** Others may take the lease if it was not renewed for this long, in milliseconds; integer seconds. */
  leaseDurationMs: number;
  /** How long we rely on a renewal, in milliseconds; shorter than the lease. */
  freshMs: number;
  /** Written on the Lease with each renewal, for readers of it. */
  annotations?: Readonly<Record<string, string>>;
  /** Delete the Lease on release, for names that are not reused. Default false. */
  deleteOnRelease?: boolean;
  clocks?: Partial<Clocks>;
}

/** The result of one attempt: the holder of the lease, as far as known ('' if it changed hands just now). */
export type LeaseAttempt = { held: true } | { held: false; holder: string };

/** Reads and writes of a release: it can lose to one late renewal of its own. */
const releaseAttempts = 3;

/** The type of {@link Lease}. */
export const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
const realClocks: Clocks = {
  monotonic: () => performance.now(),
  boot: () => uptime() * 1000,
  wall: () => Date.now(),
};

/** Linux reports its uptime in hundredths of a second, others in seconds. */
const BOOT_STEP_MS = process.platform === 'linux' ? 10 : 1000;

/** Holds, or tries to hold, one Lease. Not for concurrent use. */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  readonly #clocks: Clocks;
  #observed: Lease | undefined;
  #observedAt = -Infinity;
  #renewedAt: Moment | undefined;
  #acquisitions = 0;

  constructor(options: LeaseLockOptions) {
    this.#options = options;
    this.#clocks = { ...realClocks, ...options.clocks };
  }

  /** The holder written in the lease as last read; '' if none. */
  get holder(): string {
    return this.#observed?.spec?.holderIdentity ?? '';
  }

  /**
   * How often the lease was taken, from another holder or without one. While unchanged, no other process has held it.
   */
  get acquisitions(): number {
    return this.#acquisitions;
  }

  /** Until when, on the monotonic clock, the last renewal may be relied on; -Infinity if the lease is not ours. */
  get freshUntil(): number {
    return this.#renewedAt === undefined ? -Infinity : this.#renewedAt.monotonic + this.#options.freshMs;
  }

  /** Whether the lease is ours and may be relied on now. Check right before acting, not earlier. */
  isFresh(): boolean {
    if (this.#renewedAt === undefined) return false;
    const bootAge = this.#clocks.boot() - this.#renewedAt.boot;
    return this.#clocks.monotonic() < this.freshUntil && bootAge < this.#options.freshMs + BOOT_STEP_MS;
  }

  /** From when on, on the monotonic clock, another's lease may be taken if unchanged; -Infinity without a holder. */
  get acquirableAt(): number {
    const { spec } = this.#observed ?? {};
    const holder = spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return -Infinity;
    return this.#observedAt + (spec?.leaseDurationSeconds ?? this.#options.leaseDurationMs / 1000) * 1000;
  }

  /**
   * Makes one attempt to take the lease, or to renew it. A lease held by another identity is taken only after this
   * process has seen it unchanged for its full duration, so the first read of a foreign lease never takes it.
   *
   * @throws {ApiError | ApiUnreachableError} as `KubeClient.request`; the write may have happened.
   */
  async acquireOrRenew(timeoutMs: number, signal?: AbortSignal): Promise<LeaseAttempt> {
    const call = { timeoutMs, signal };
    // Renewing goes straight to the write; a changed resource version reveals another writer.
    if (this.#renewedAt !== undefined && this.#observed !== undefined) {
      if (await this.#write(this.#observed, call)) return { held: true };
    }

    const current = await this.#read(call);
    if (current) this.#observe(current);
    else this.#observed = undefined;
    const isForeign = this.#clocks.monotonic() < this.acquirableAt;
    // If it was deleted, ours is gone, and anyone may create it now.
    if (!current || isForeign) this.#renewedAt = undefined;
    if (isForeign) return { held: false, holder: this.holder };
    return (await this.#write(current, call)) ? { held: true } : { held: false, holder: '' };
  }

  /**
   * Releases the lease so that the next holder need not wait. From the call on it counts as not ours, whether or not
   * the API server receives it.
   *
   * @throws {ApiError | ApiUnreachableError} as `KubeClient.request`, except if another process took it: that is fine.
   */
  async release(timeoutMs: number): Promise<void> {
    this.#renewedAt = undefined;
    for (let attempt = 0; attempt < releaseAttempts; attempt++) {
      if (await this.#releaseOnce(timeoutMs)) return;
    }
  }

  /**
   * Returns whether nothing is left to do: a renewal that was cut off may still be stored, before the read or after it.
   */
  async #releaseOnce(timeoutMs: number): Promise<boolean> {
    const { client, deleteOnRelease = false, identity } = this.#options;
    const held = await this.#read({ timeoutMs });
    if (held?.spec?.holderIdentity !== identity) return true;
    const { uid, resourceVersion } = held.metadata;
    const now = microTime(new Date(this.#clocks.wall()));
    // One second, the least allowed: a lease without a holder can be taken at once.
    const free = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    const request = deleteOnRelease
      ? ({ method: 'DELETE', body: { preconditions: { uid, resourceVersion } } } as const)
      : ({ method: 'PUT', body: { ...held, spec: { ...held.spec, ...free } } } as const);
    try {
      await client.request({ ...request, path: this.#path(true), timeoutMs });
      this.#observed = undefined;
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  #path(withName: boolean): string {
    const { namespace, name } = this.#options;
    return resourcePath(LEASES, withName ? { namespace, name } : { namespace });
  }

  async #read(call: Call): Promise<Lease | undefined> {
    const { client } = this.#options;
    return await ifFound(client.request<Lease>({ method: 'GET', path: this.#path(true), ...call }));
  }

  /** Writes our record over `current`, or into a new Lease. False: another process was first, or the Lease is gone. */
  async #write(current: Lease | undefined, call: Call): Promise<boolean> {
    const { annotations, client, identity, name, namespace } = this.#options;
    const at = { monotonic: this.#clocks.monotonic(), boot: this.#clocks.boot() };
    const known = current?.metadata ?? { name, namespace };
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      ...current,
      metadata: { ...known, annotations: { ...known.annotations, ...annotations } },
      spec: this.#record(current?.spec ?? {}),
    };
    const [method, path] = current
      ? (['PUT', this.#path(true)] as const)
      : (['POST', this.#path(false)] as const);
    try {
      this.#observe(await client.request<Lease>({ method, path, body, ...call }));
    } catch (error) {
      if (isConflict(error) || (current && isNotFound(error))) return false;
      throw error;
    }
    this.#renewedAt = at;
    if (current && current.spec?.holderIdentity !== identity) this.#acquisitions += 1;
    return true;
  }

  #record(previous: LeaseSpec): LeaseSpec {
    const { identity, leaseDurationMs } = this.#options;
    const now = microTime(new Date(this.#clocks.wall()));
    const same = previous.holderIdentity === identity;
    return {
      ...previous,
      holderIdentity: identity,
      leaseDurationSeconds: leaseDurationMs / 1000,
      acquireTime: same ? (previous.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions:
        (previous.leaseTransitions ?? -1) + (same && previous.leaseTransitions !== undefined ? 0 : 1),
    };
  }

  #observe(lease: Lease): void {
    const unchanged = this.#observed?.metadata.resourceVersion === lease.metadata.resourceVersion;
    this.#observed = lease;
    if (!unchanged) this.#observedAt = this.#clocks.monotonic();
  }
}

type Moment = Record<'monotonic' | 'boot', number>;

interface Call {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}
