/** That the nodes deny beyond the limit, once all of them have had time to learn that it is used up. */
import { BaselineError } from '../../baseline.ts';
import { type Denying, denyingProblem } from '../../controls.ts';
import { pauseFor } from '../../waiting.ts';
import { sumOf } from '../../words.ts';
import { atRest, type ControlOptions, onControlKey, restWithinMs, sendChecks } from './control-traffic.ts';
import type { LimitWindow } from './setup-limit.ts';

/** Once counters are at rest, the nodes may take so long to learn of each other's counts. */
const LEARN_MS = 250;
/** Limit of the key on which the limiter has to deny; that of the spec where it is lower. */
const MOST_DENYING_LIMIT = 50;
/** Checks beyond that limit, and how long they and those before are spread over. */
const LEAST_BEYOND = 10;
const MOST_BEYOND = 50;
const SPREAD_MS = 500;

/** On `key`, which is removed again. @throws BaselineError, SetupError, the reason of `signal` */
export async function measureDenying(
  options: ControlOptions,
  key: string,
  signal: AbortSignal,
): Promise<Denying> {
  const limit = Math.min(options.limit, MOST_DENYING_LIMIT);
  return await onControlKey(options, key, limit, signal, async (window) =>
    useUpAndGoOn(options, window, signal),
  );
}

/** The whole limit, and when all have had time to learn of that, some more for each node. */
async function useUpAndGoOn(
  options: ControlOptions,
  window: LimitWindow,
  signal: AbortSignal,
): Promise<Denying> {
  const { limit } = window;
  const beyond = Math.min(MOST_BEYOND, Math.max(LEAST_BEYOND, 2 * options.clients.length));
  const spread = (requests: number): { requests: number; requestsPerSecond: number } => ({
    requests,
    requestsPerSecond: (requests * 1000) / SPREAD_MS,
  });
  const before = await sendChecks(options, window, spread(limit), signal, signal);
  // Counters that cannot be read are told of where the lag is measured.
  await atRest(options, window, restWithinMs(options), signal).catch(() => signal.throwIfAborted());
  await pauseFor(LEARN_MS, signal);
  const after = await sendChecks(options, window, spread(beyond), signal, signal);
  const problem = before.problem ?? after.problem;
  const denying = {
    limit,
    sent: before.sent + after.sent,
    allowed: sumOf(before.allowed.values()) + sumOf(after.allowed.values()),
    denied: before.denied + after.denied,
    ...(problem !== undefined && { problem }),
  };
  const failure = denyingProblem(denying);
  if (failure !== undefined) throw new BaselineError(failure);
  return denying;
}
