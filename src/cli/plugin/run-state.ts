/** The state of an object, for commands that wait for its end. Pure. */

import { ANNOTATIONS, type ChaosDemo, conditionOf, LIMITS, printable } from '../../api/index.ts';
import { expectedText } from '../finding.ts';

/** The state of an object. `unseen`: no operator has processed it since it was written. */
export type RunState =
  | { readonly state: 'unseen' }
  | { readonly state: 'open' }
  | { readonly state: 'refused'; readonly reason: string; readonly message: string }
  | { readonly state: 'ended'; readonly line: string };

/** The state of a ChaosDemo, from its conditions for the current spec and request. */
export function runStateOf({ metadata, status = {} }: ChaosDemo): RunState {
  if (status.observedGeneration !== metadata.generation) return { state: 'unseen' };
  const finished = conditionOf(status, 'Finished');
  const isFinished = finished?.status === 'True';
  if (isFinished && isHandled(metadata, status.lastHandledRunRequest)) {
    const { message = '', phase = '', run } = status;
    const reason = run?.reason ?? finished.reason;
    const line = `${phase} (${reason}), ${expectedText(status)}: ${message}`;
    return { state: 'ended', line };
  }
  const stalled = conditionOf(status, 'Stalled');
  if (!isFinished && stalled?.status === 'True') {
    return { state: 'refused', reason: stalled.reason, message: stalled.message };
  }
  return { state: isFinished ? 'unseen' : 'open' };
}

/** Whether the run is the one requested last. */
function isHandled({ annotations = {} }: ChaosDemo['metadata'], handled: string | undefined): boolean {
  const request = annotations[ANNOTATIONS.requestedAt] ?? '';
  return request === '' || printable(request.slice(0, LIMITS.request)) === handled;
}

/** A refusal that lasts this long does not resolve automatically: the operator checks again every ten seconds. */
export const REFUSAL_TIMEOUT_MS = 20_000;

/** The result of waiting. */
export type Outcome = Extract<RunState, { state: 'ended' | 'refused' }>;

/** Waits for the end of a run by the states given to it; takes the time only from its callers. */
export class Waiter {
  #refusedSince: number | undefined;

  /** Processes the state of the object at `now`, in milliseconds of any clock that never jumps. Undefined: not over. */
  observe(demo: ChaosDemo, now: number): Outcome | undefined {
    const state = runStateOf(demo);
    if (state.state !== 'refused') this.#refusedSince = undefined;
    if (state.state === 'ended') return state;
    if (state.state !== 'refused') return undefined;
    this.#refusedSince ??= now;
    return now - this.#refusedSince < REFUSAL_TIMEOUT_MS ? undefined : state;
  }
}
