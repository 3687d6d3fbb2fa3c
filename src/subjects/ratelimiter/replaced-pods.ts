/**
 * Whether pods are still at their addresses, checked right before something is sent to them: another pod may have the
 * address by now.
 */

import { messageOf } from '../../api/index.ts';
import { NotFoundOutError } from '../redis/faults/fault.ts';
import { listed } from '../targets/refusal.ts';
import { TIMED_OUT, within } from '../waiting.ts';

/** Names of the pods that are no longer at their addresses. @throws if this cannot be determined */
export type FindReplacedPods = (signal: AbortSignal) => Promise<readonly string[]>;

/** How long a check of the pods may take, in milliseconds: a fault has 3 s to begin. */
const LOOK_MS = 1500;

/** @throws NotFoundOutError; an error with the name of the pod that is gone; the reason of `signal` */
export async function requirePods(findReplacedPods: FindReplacedPods, signal: AbortSignal): Promise<void> {
  const moved = await within(findReplacedPods(signal), LOOK_MS, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new NotFoundOutError(
      `could not check whether the pods are still at their addresses: ${messageOf(error)}`,
      { cause: error },
    );
  });
  if (moved === TIMED_OUT) {
    throw new NotFoundOutError(
      `the API server did not answer within ${LOOK_MS} ms whether the pods are still at their addresses`,
    );
  }
  if (moved.length === 0) return;
  throw new Error(
    `${listed(moved)}: deleted or replaced since the run began, so nothing was sent to the address: run again`,
  );
}

/** As {@link FindReplacedPods}; none if there is no answer in time. @throws the reason of `signal` */
export async function replacedPods(
  findReplacedPods: FindReplacedPods,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const moved = await within(findReplacedPods(signal), LOOK_MS, signal).catch((): readonly string[] => []);
  signal.throwIfAborted();
  return moved === TIMED_OUT ? [] : moved;
}
