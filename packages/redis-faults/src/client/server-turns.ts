/**
 * The bounds on what all servers together take of this process. A tenant decides how many servers there are and, within
 * the bounds of a reply, what each of them sends.
 */
import { GroupLimit } from '@chaosdemo/kube-runtime/fair';
import { allOf, each, type PerServer } from './per-server.ts';
import type { RedisTarget } from './redis-target.ts';

/** Servers that are read at the same time, in all and of one namespace. */
const AT_ONCE = { max: 16, maxPerGroup: 4 };

const usual = new GroupLimit(AT_ONCE);
/** Additional slots for checks that a fault waits for. */
const timed = new GroupLimit(AT_ONCE);

/**
 * Reads all servers, a few at a time, and begins no more after a failure.
 * @param isTimed whether a fault waits for it: then only timed reads are queued before it
 * @throws the first error in the order of servers, whichever came first: a message must not change without a cause; or
 *   the reason of `signal`
 */
export async function readAll<T>(
  targets: PerServer<RedisTarget>,
  read: (target: RedisTarget) => Promise<T>,
  isTimed: boolean,
  signal: AbortSignal,
): Promise<PerServer<T>> {
  const limit = isTimed ? timed : usual;
  // They begin in their order, so all servers before one that failed have begun.
  const failed = new AbortController();
  const readInTurn = async (target: RedisTarget): Promise<T> => {
    failed.signal.throwIfAborted();
    try {
      return await read(target);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  return await allOf(
    each(targets, (target) => limit.run(target.namespace ?? '', signal, () => readInTurn(target))),
  );
}
