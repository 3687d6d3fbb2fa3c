/**
 * The controls before any fault: a lock grants exactly its slots, on all pods together, and one again once its holder
 * releases it; and it uses the Redis that the spec names.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../api/index.ts';
import { InvariantBrokenError } from '../../controls/invariant-broken.ts';
import { measureWrites, storeControlOf } from '../../controls/store-control.ts';
import type { CallerRequest } from '../../history/events.ts';
import type { Controls, Toolkit as PodsToolkit } from '../../scenarios/tools.ts';
import { NotFoundOutError } from '../../targets/refusal.ts';
import type { LockRequests } from '../interfaces/lock-requests.ts';
import { type LockSpec, longestHoldMs, PART, TOKEN_PLACE, ttlOf } from '../spec/schema.ts';
import { type Contender, contenderOf, type Held } from '../workloads/contender.ts';

/** How long a slot may take to be free, and all controls, with releases that fail; milliseconds. */
const [FREE_MS, MOST_MS] = [2000, 60_000];

/** The tools of a run of a lock. */
export interface Toolkit extends PodsToolkit {
  readonly lock: LockSpec;
  readonly requests: LockRequests;
}

/** @throws InvariantBrokenError; Error with the problem and what to do; NotFoundOutError; RedisClientError */
export async function controlLock(toolkit: Toolkit, key: string, signal: AbortSignal): Promise<Controls> {
  const { health, lock, now, podClients, redis, requests } = toolkit;
  const { slots } = lock;
  const baseline = await measureWrites(redis, signal);
  const store = storeControlOf(redis, PART);
  await store.rest(signal);
  const asked: CallerRequest[] = [];
  const request = (one: CallerRequest): number => (one.caller === 'Acquire' ? asked.push(one) : 0);
  const history = { append: () => undefined, late: () => undefined, request };
  const lifetime = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]);
  const rest = { key, history, lifetime, callerTimeoutMs: health.timeoutMs, ttlMs: ttlOf(lock) };
  const contenders = store.around(podClients).map((client) => contenderOf({ ...toolkit, ...rest, client }));
  const held: Held[] = [];
  /** Every pod denies one more. @throws InvariantBrokenError if one grants it; NotFoundOutError if a hold has expired */
  const requireFull = async (when: string): Promise<void> => {
    for (const contender of contenders) {
      const { held: more, request: last, why } = await contender.acquire();
      await more?.release();
      if (more && held.some(({ until }) => now() >= until))
        throw new NotFoundOutError(`the controls took longer than ${PART}.ttl`);
      const pod = `without a fault, ${contender.pod}`;
      if (more)
        throw new InvariantBrokenError(
          `The lock does not exclude: ${pod} granted it${when} while ${slots === 1 ? 'it was' : 'all of its slots were'} held: ${slots + 1} > ${slots} at once`,
        );
      if (last?.outcome !== 'Rejected')
        throw new Error(
          `${pod} did not reject a request for a lock that is held${when}: ${why}. Correct ${PART}.acquire.deniedStatuses, or let it respond within health.timeout`,
        );
    }
  };
  try {
    for (let slot = 0; slot < slots; slot += 1) held.push(await requireFree(contenders, slot, signal));
    await requireFull('');
    const token = held[0]?.token ?? '';
    if (JSON.stringify(lock.release).includes(TOKEN_PLACE)) {
      // Of the same form, in case that the pod checks that.
      const other = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
      const foreign = requests.requestTo('release', key, other);
      await podClients[0]?.send(foreign, health.timeoutMs, signal);
      await requireFull(' after a release with the token of another');
    }
    await pauseFor(longestHoldMs(lock) / 2, signal);
    await requireFull(' after some time');
    await held.shift()?.release();
    // By a pod that has not granted it before, if there is one.
    held.push(await requireFree(contenders, slots, signal));
    await requireFull(' after a release');
  } finally {
    await Promise.all(held.map((one) => one.release()));
  }
  const { doubt, message } = await store.conclude(asked, undefined, signal);
  return {
    message: `Baseline: a write to Redis takes at most ${baseline.writeMaxMs.toFixed(1)} ms. Without a fault, the lock had exactly ${counted(slots, 'holder')} at a time, and another once it was released; ${message}`,
    storeDoubt: doubt,
    baseline,
  };
}

/** A slot that is free is granted by this one of the pods. @throws Error with the problem */
export async function requireFree(all: readonly Contender[], i: number, signal: AbortSignal): Promise<Held> {
  const contender = all[i % all.length];
  const found = await contender?.acquireBy(performance.now() + FREE_MS, signal);
  if (found?.held) return found.held;
  throw new Error(
    `without a fault, ${contender?.pod} did not grant a slot that was free within ${FREE_MS / 1000} s: ${found?.why}. Correct ${PART}.acquire, ${PART}.slots, or ${PART}.release`,
  );
}
