/** Undoes what a run did: ends its pause, removes its keys, proves that writes are taken. */
import { truncate } from '../../api/index.ts';
import type { Restored } from '../../demo/observed.ts';
import type { LimiterClient } from './interfaces/reference/limiter-client.ts';
import { removeRateLimit } from './interfaces/reference/setup-limit.ts';
import type { OwnPause } from './store/own-pause.ts';
import type { RedisConnections } from './store/redis-client.ts';
import { proveWrite } from './store/write-probe.ts';
import { messageOf } from './waiting.ts';
import { counted } from './words.ts';

/** A write that is not held back is taken well within this. */
const QUICK_WRITE_MS = 500;
/** How long after the release a write may take. */
const WRITE_WITHIN_MS = 5000;

export interface RestoreOptions {
  readonly redis: RedisConnections;
  readonly clients: readonly LimiterClient[];
  readonly keys: readonly string[];
  readonly release: boolean;
  readonly ownPause: OwnPause;
  readonly now: () => number;
}

/** What was restored, or what is left to do by hand. @throws only the reason of `signal` */
export async function restore(options: RestoreOptions, signal: AbortSignal): Promise<Restored> {
  const { redis, clients, keys, release, ownPause, now } = options;
  const done: string[] = [];
  const failed: string[] = [];

  // A write that is taken at once says that nothing is paused: then there is nothing of ours to end either.
  const quick =
    ownPause.state === 'active' && release ? undefined : await proveWrite(redis, QUICK_WRITE_MS, now, signal);
  if (quick === undefined && release && ownPause.state !== 'none') {
    try {
      ownPause.toBeReleased();
      await redis.unpause();
      done.push('released the pause of Redis');
    } catch (error) {
      signal.throwIfAborted();
      failed.push(
        `could not release ${redis.name}: ${messageOf(error)}; the pause ends by itself, or now with: redis-cli CLIENT UNPAUSE`,
      );
    }
  }
  let problem = 'check that it runs; if it is paused, end the pause with: redis-cli CLIENT UNPAUSE';
  const tell = (said: string): void => {
    problem = said;
  };
  const taken = quick ?? (await proveWrite(redis, WRITE_WITHIN_MS, now, signal, tell));
  if (taken === undefined) {
    failed.push(`${redis.name} took no write within ${WRITE_WITHIN_MS} ms: ${problem}`);
  } else {
    done.push('a real write was accepted');
  }

  // While writes are held back no key can be removed; its window makes it harmless in any case.
  const removals = await Promise.allSettled(
    keys.map(async (key) => await removeRateLimit(clients, key, signal)),
  );
  signal.throwIfAborted();
  const left = clients.length === 0 ? keys : keys.filter((_, i) => removals[i]?.status === 'rejected');
  if (keys.length > left.length)
    done.push(`removed ${counted(keys.length - left.length, 'key')} of the demo`);
  if (left.length > 0) {
    const failure = removals.find((removal) => removal.status === 'rejected');
    const reason = failure ? messageOf(failure.reason) : 'no node of the rate limiter is known any more';
    const [limits, them] = left.length === 1 ? ['limit', 'is'] : ['limits', 'are'];
    failed.push(
      `the ${limits} of ${left.join(', ')} ${them} left (${reason}): remove with DELETE /limit?key=...`,
    );
  }
  const message = [...failed, ...(done.length > 0 ? [`Restored: ${done.join(', ')}`] : [])].join('. ');
  return { ok: failed.length === 0, faultOver: taken !== undefined, message: truncate(message, 512) };
}
