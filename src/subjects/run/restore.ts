/** Undoes what a run did: ends its fault, and proves that Redis accepts writes. Counts of its callers expire. */
import { FaultProxyError, proveWrite, RedisClientError } from '@chaosdemo/redis-faults';
import { succeeds } from '@chaosdemo/redis-faults/waiting';
import { messageOf, truncate } from '../../api/index.ts';
import type { Restored } from '../../engine/observed.ts';
import type { Permit } from '../../engine/subject.ts';
import type { Toolkit } from '../scenarios/tools.ts';

/** A write that is not held back takes far less. */
const QUICK_WRITE_MS = 500;
/** How long after the release a write may take. */
const WRITE_WITHIN_MS = 5000;

interface RestoreOptions extends Pick<Toolkit, 'now' | 'ownPause' | 'proxy' | 'redis'> {
  readonly release: boolean;
  /** Called right before the release: the active pause may belong to another operator that leads now. */
  readonly permit: Permit;
  /** What an earlier process of this run would have written before a failover, see `claimOf`. */
  readonly claims: readonly string[];
}

/** Longer than any command sent before can be in flight; milliseconds. */
const IN_CHARGE_MS = 60_000;

/**
 * What was restored, or what is left to do by hand.
 * @throws the reason of `signal`, or why a release is not permitted
 */
export async function restore(options: RestoreOptions, signal: AbortSignal): Promise<Restored> {
  const { redis, release, ownPause, now } = options;
  const done: string[] = [];
  const failed: string[] = [];

  // A write that is accepted at once shows that nothing is paused, so there is no pause of ours to end.
  const quick =
    ownPause.state === 'active' && release ? undefined : await proveWrite(redis, QUICK_WRITE_MS, now, signal);
  if (quick === undefined && release && ownPause.state !== 'none') {
    const refusal = options.permit.refusal();
    if (refusal !== undefined) throw new Error(`Redis is not released: ${refusal}`);
    try {
      ownPause.released = true;
      await redis.unpause();
      done.push('released the pause of Redis');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RedisClientError && error.isAnotherServer) {
        done.push('the Redis that was paused is gone from its address, and its pause with it');
      } else
        failed.push(
          `could not release ${redis.name}: ${messageOf(error)}; the pause ends automatically, or now with: redis-cli CLIENT UNPAUSE`,
        );
    }
  }
  const passes = await releaseProxy(options, done, failed);
  signal.throwIfAborted();
  let problem = 'check that it runs; if it is paused, end the pause with: redis-cli CLIENT UNPAUSE';
  const note = (text: string): void => {
    problem = text;
  };
  const taken = quick ?? (await proveWrite(redis, WRITE_WITHIN_MS, now, signal, note));
  // A pause that was sent and got no reply may still be in flight, and would take effect after this proof.
  const alone =
    taken === undefined || ownPause.state === 'none' || (await succeeds(redis.takeCharge(IN_CHARGE_MS)));
  if (!alone) {
    failed.push(
      `${redis.name} accepted a write and then none: a late pause may be active, which ends automatically`,
    );
  } else if (taken === undefined) {
    failed.push(`${redis.name} accepted no write within ${WRITE_WITHIN_MS} ms: ${problem}`);
  } else {
    done.push('a real write was accepted');
  }

  const message = [
    ...failed,
    ...(done.length > 0 ? [`Restored: ${done.join(', ')}`] : []),
    ...(await failoverText(options)),
  ].join('. ');
  return {
    ok: failed.length === 0,
    // The former primary becomes a replica only some time after a failover was sent.
    faultOver: taken !== undefined && alone && passes && !redis.failover,
    message: truncate(message, 512),
  };
}

/** A failover is not undone: another one would lose writes as well. */
async function failoverText({ claims, redis }: RestoreOptions): Promise<string[]> {
  const { failover, name, servers } = redis;
  if (failover) {
    const now = failover.hasMoved ? `${name} took its place` : 'which server took its place is not known';
    return [`A failover of ${failover.former} was begun, and that cannot be undone: ${now}`];
  }
  if (claims.length === 0) return [];
  try {
    const found = await Promise.all(servers.map((server) => server.claimed()));
    if (!found.some((claim) => claim !== null && claims.includes(claim))) return [];
    return ['An earlier process may have begun a failover of Redis, and that cannot be undone'];
  } catch (error) {
    return [`Whether an earlier process began a failover is not known: ${messageOf(error)}`];
  }
}

/**
 * Ends a fault of the proxy. @returns whether none is active
 * @throws why a release is not permitted
 */
async function releaseProxy(
  { permit, proxy, release }: RestoreOptions,
  done: string[],
  failed: string[],
): Promise<boolean> {
  if (!proxy) return true;
  try {
    if (!release) return (await proxy.state()).fault === null;
    const refusal = permit.refusal();
    if (refusal !== undefined) throw new Error(`the fault proxy is not released: ${refusal}`);
    // From here on, it begins no fault that was requested before.
    if ((await proxy.takeCharge()).fault === null) return true;
    await proxy.release();
    done.push('ended the fault of the proxy');
    return true;
  } catch (error) {
    if (!(error instanceof FaultProxyError)) throw error;
    failed.push(
      `whether ${proxy.name} has an active fault is not known: ${error.message}; it ends automatically`,
    );
    return false;
  }
}
