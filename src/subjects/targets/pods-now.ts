/**
 * What became of the pods of a run. They are looked at right before something is sent to them, since another pod may
 * have the address by now, and around a fault, since a container that restarts has another process.
 */

import { listed } from '@chaosdemo/redis-faults/text';
import { TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
import { messageOf } from '../../api/index.ts';
import { NotFoundOutError } from './refusal.ts';

export interface PodsNow {
  /** Names of the pods that are no longer at their addresses: gone, terminating, or recreated. */
  readonly replaced: readonly string[];
  /** Of the others, the ID of the container that serves the port, by name of the pod; left out if it has none. */
  readonly containers: ReadonlyMap<string, string>;
}

/** @throws if this cannot be determined */
export type LookAtPods = (signal: AbortSignal) => Promise<PodsNow>;

/** How long a look may take, in milliseconds: a fault has 3 s to begin. */
const LOOK_MS = 1500;

/** @throws NotFoundOutError; an error with the name of the pod that is gone; the reason of `signal` */
export async function requirePods(lookAtPods: LookAtPods, signal: AbortSignal): Promise<void> {
  const now = await within(lookAtPods(signal), LOOK_MS, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new NotFoundOutError(
      `could not check whether the pods are still at their addresses: ${messageOf(error)}`,
      { cause: error },
    );
  });
  if (now === TIMED_OUT) {
    throw new NotFoundOutError(
      `the API server did not respond within ${LOOK_MS} ms whether the pods are still at their addresses`,
    );
  }
  if (now.replaced.length === 0) return;
  throw new Error(
    `${listed(now.replaced)}: deleted or replaced since the run began, so nothing was sent to the address: run again`,
  );
}

/** As {@link LookAtPods}; nothing is known of any pod if there is no answer in time. @throws the reason of `signal` */
export async function podsNow(lookAtPods: LookAtPods, signal: AbortSignal): Promise<PodsNow> {
  const unknown: PodsNow = { replaced: [], containers: new Map() };
  const now = await within(lookAtPods(signal), LOOK_MS, signal).catch(() => unknown);
  signal.throwIfAborted();
  return now === TIMED_OUT ? unknown : now;
}

/** Names of the pods whose container is another one than before. */
export function restartedSince(before: PodsNow, { containers }: PodsNow): string[] {
  return [...before.containers].flatMap(([pod, id]) => {
    const now = containers.get(pod);
    return now === undefined || now === id ? [] : [pod];
  });
}
