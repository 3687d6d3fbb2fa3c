/**
 * Carries out the remediation action reset-counter on one key of the demo, on the bundled limiter. It reads the key,
 * consults its permit, sets the limit of the spec again, which starts a new window on every pod, and measures the
 * result with real requests.
 */
import { counted, messageOf } from '../../api/index.ts';
import type { SubjectEffect } from '../../demo/effects.ts';
import type { RemedyReport } from '../../demo/observed.ts';
import type { Permit } from '../../demo/subject.ts';
import { endingWithin, fairTimeout } from '../waiting.ts';
import { type CounterSample, missingIn, totalAdmitted } from './history/counter-sample.ts';
import { injectBurstTraffic } from './interfaces/reference/check-burst.ts';
import type { ReferenceLimiter } from './interfaces/reference/reference-limiter.ts';
import type { LimitWindow } from './interfaces/reference/setup-limit.ts';
import { isDemoKey } from './schema.ts';
import type { Toolkit } from './tools.ts';

export interface ResetTools extends Toolkit {
  /** Consulted right before the limit is set. */
  readonly permit: Permit;
  /** @throws if a pod is no longer at its address, or that is unknown */
  readonly requirePods: () => Promise<void>;
}

export type ResetOrder = Pick<Extract<SubjectEffect, { kind: 'Remediate' }>, 'fixture' | 'until'>;

/** At most this many requests measure a reset. */
const MOST_SENT = 10;
/** How long the counters may take to agree after those requests; milliseconds. */
const AGREE_WITHIN_MS = 5000;
/** How long open requests may take once the action has to end: a restore waits for it; milliseconds. */
const END_WITHIN_MS = 1500;

/** The action is not carried out; the message has the reason. */
class NotAppliedError extends Error {}

/**
 * Resets the counter, once. Stops at `until` of the order or when `signal` is aborted, at most 1.5 s later, even if a
 * pod or Redis does not answer. Never throws: the report has the result.
 */
export async function resetCounter(
  tools: ResetTools,
  { fixture, until }: ResetOrder,
  signal: AbortSignal,
): Promise<RemedyReport> {
  const timeout = fairTimeout(Math.max(0, until - tools.now()));
  const stop = AbortSignal.any([signal, timeout.signal]);
  let isSent = false;
  const reset = async (): Promise<RemedyReport> => {
    const { before, reference } = await readBefore(tools, fixture, stop);
    const refusal = tools.permit.refusal();
    if (refusal !== undefined) throw new NotAppliedError(refusal);
    isSent = true;
    // The limit comes from the spec only.
    const window = await reference.define({ key: fixture, allowed: tools.limiter.limit.requests }, stop);
    return await measure(tools, reference, window, before, stop);
  };
  try {
    return await endingWithin(reset(), END_WITHIN_MS, stop);
  } catch (error) {
    const why = timeout.signal.aborted && !signal.aborted ? 'its time was over' : messageOf(error);
    return isSent
      ? { state: 'Unproven', message: `A reset was sent for ${fixture}, and its result is not known: ${why}` }
      : { state: 'NotApplied', message: `Nothing was sent: ${why}` };
  } finally {
    timeout.end();
  }
}

/** The counters of the key before anything is sent. @throws the obstacle to the action */
async function readBefore(
  { limiter, reference, requirePods, target }: ResetTools,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly before: CounterSample; readonly reference: ReferenceLimiter }> {
  const { requests } = limiter.limit;
  if (!reference) throw new NotAppliedError('a rate limiter behind HTTP has no interface for it');
  if (!isDemoKey(key)) throw new NotAppliedError('the scenario was not set up on a key of the demo');
  await requirePods();
  const known = await reference.find(key, signal);
  if (!known) {
    throw new NotAppliedError(
      `${reference.clients[0]?.name ?? 'no pod'} does not know the key ${key}: it is gone, or the scenario uses other keys`,
    );
  }
  if (known.limit !== requests) {
    throw new NotAppliedError(
      `a pod reports the limit ${known.limit} for ${key}, and the spec has ${requests}`,
    );
  }
  const before = await reference.sample(key, signal);
  const missing = missingIn(before, target.pods.length);
  if (missing !== undefined) throw new NotAppliedError(`its counters could not be read before: ${missing}`);
  if (totalAdmitted(before) === 0 && before.stored === 0) {
    throw new NotAppliedError(
      `there is nothing to reset: the window of ${key} that was counted in has ended`,
    );
  }
  return { before, reference };
}

/** One request to each of some pods, and then whether pods and Redis agree on what was admitted. */
async function measure(
  { budget, now, target, timeoutMs }: ResetTools,
  reference: ReferenceLimiter,
  { key, limit, windowId }: LimitWindow,
  before: CounterSample,
  signal: AbortSignal,
): Promise<RemedyReport> {
  const requests = Math.min(MOST_SENT, limit, target.pods.length);
  const burst = { pods: target.pods, key, windowId, requests, timeoutMs, budget, now };
  const { admitted, errors, firstError, timeouts } = await injectBurstTraffic(burst, signal);
  if (errors + timeouts > 0) {
    const why = firstError ?? 'the reason is not known';
    throw new Error(`${errors + timeouts} of ${requests} requests had no proper answer: ${why}`);
  }
  const isAsAdmitted = (sample: CounterSample): boolean =>
    totalAdmitted(sample) === admitted && sample.stored === admitted;
  const after = await reference.settled(key, AGREE_WITHIN_MS, signal, isAsAdmitted);
  const missing = missingIn(after, reference.clients.length);
  if (missing !== undefined) throw new Error(`the counters could not be read: ${missing}`);
  const figuresOf = (sample: CounterSample): NonNullable<RemedyReport['after']> => [
    { name: 'limit', value: limit, unit: 'requests' },
    { name: 'admitted', value: totalAdmitted(sample), unit: 'requests' },
    { name: 'stored', value: sample.stored ?? 0, unit: 'requests' },
  ];
  return {
    state: admitted === requests && isAsAdmitted(after) ? 'Applied' : 'Ineffective',
    before: figuresOf(before),
    after: figuresOf(after),
    message: `A new window of ${key} was started. Before, the pods had admitted ${totalAdmitted(before)} and Redis held ${before.stored}. Then ${admitted} of ${counted(requests, 'request')} ${admitted === 1 ? 'was' : 'were'} admitted: the pods have admitted ${totalAdmitted(after)} and Redis holds ${after.stored}`,
  };
}
