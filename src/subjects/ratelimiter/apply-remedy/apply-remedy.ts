/**
 * Carries out a remediation action on one key of the demo, on the bundled limiter: it reads the key, asks its permit,
 * sets the limit again, which starts a new window on every pod, and measures the result with real requests. ChangeLimit
 * also measures the old limit first, so that a change that made no difference is not said to have helped.
 */
import { counted, messageOf } from '../../../api/index.ts';
import type { SubjectEffect } from '../../../demo/effects.ts';
import type { RemedyReport } from '../../../demo/observed.ts';
import type { Permit } from '../../../demo/subject.ts';
import { type CounterSample, missingIn, totalAdmitted } from '../history/counter-sample.ts';
import { injectBurstTraffic } from '../interfaces/reference/check-burst.ts';
import type { ReferenceLimiter } from '../interfaces/reference/reference-limiter.ts';
import type { LimitWindow } from '../interfaces/reference/setup-limit.ts';
import { isDemoKey } from '../schema.ts';
import type { Toolkit } from '../tools.ts';
import { endingWithin, fairTimeout } from '../waiting.ts';
import { againstChange, measuringRequests, shareOf } from './bounds.ts';

/** What an action is carried out with. */
export interface RemedyTools extends Toolkit {
  /** Asked right before a limit is set. */
  readonly permit: Permit;
  /** @throws if a pod is not at its address any more, or that could not be found out */
  readonly requireNodes: () => Promise<void>;
}

export type RemedyOrder = Pick<
  Extract<SubjectEffect, { kind: 'Remediate' }>,
  'fixture' | 'limit' | 'remedy' | 'until'
>;

type Figures = NonNullable<RemedyReport['after']>;

/** Requests that measure a reset, at most. */
const MOST_ASKED = 10;
/** How long the counters may take to agree after that; milliseconds. */
const AGREE_WITHIN_MS = 5000;
/** How long open requests may take once it has to end: a restore waits for it; milliseconds. */
const END_WITHIN_MS = 1500;

/** It is not carried out; the message says why. */
class NotAppliedError extends Error {}

/**
 * Carries it out, once. Given up at `until` of the order or when `signal` is aborted, and 1.5 s later at the latest,
 * however long a pod or Redis holds its answer back. Never throws: the report says what was done.
 */
export async function applyRemedy(
  tools: RemedyTools,
  order: RemedyOrder,
  signal: AbortSignal,
): Promise<RemedyReport> {
  const timeout = fairTimeout(Math.max(0, order.until - tools.now()));
  const stop = AbortSignal.any([signal, timeout.signal]);
  let done: 'nothing' | 'control' | 'sent' = 'nothing';
  const carriedOut = async (): Promise<RemedyReport> => {
    const { before, reference } = await readBefore(tools, order, stop);
    const { requests } = tools.limiter.limit;
    const set = async (allowed: number, then: typeof done): Promise<LimitWindow> => {
      const refusal = tools.permit.refusal();
      if (refusal !== undefined) throw new NotAppliedError(refusal);
      done = then;
      return await reference.define({ key: order.fixture, allowed }, stop);
    };
    if (order.remedy === 'ResetCounter') {
      return await measureReset(tools, reference, await set(requests, 'sent'), before, stop);
    }
    // A burst that exceeds the limit of the spec if every pod admits more than its share.
    const pods = tools.target.nodes.length;
    const sent = measuringRequests(requests, pods);
    const old = await measure(tools, await set(requests, 'control'), sent, stop);
    const changed = await measure(tools, await set(shareOf(requests, pods), 'sent'), sent, stop);
    return reportOf(order.fixture, requests, old, changed);
  };
  try {
    return await endingWithin(carriedOut(), END_WITHIN_MS, stop);
  } catch (error) {
    const why = timeout.signal.aborted && !signal.aborted ? 'its time was over' : messageOf(error);
    const { fixture, remedy } = order;
    const message = {
      nothing: `Nothing was sent: ${why}`,
      control: `The limit of ${fixture} was not changed; at most a fresh window of it was begun: ${why}`,
      sent: `${remedy} was sent for ${fixture}, and what it came to could not be measured: ${why}`,
    }[done];
    return { state: done === 'nothing' ? 'NotApplied' : 'Unproven', message };
  } finally {
    timeout.end();
  }
}

/** The counters of the key before anything is sent. @throws what stands against the action */
async function readBefore(
  { limiter, reference, requireNodes, target }: RemedyTools,
  { fixture, limit: bounds, remedy }: RemedyOrder,
  signal: AbortSignal,
): Promise<{ readonly before: CounterSample; readonly reference: ReferenceLimiter }> {
  const { requests } = limiter.limit;
  if (!reference) throw new NotAppliedError('a rate limiter behind HTTP has no interface for it');
  if (!isDemoKey(fixture)) throw new NotAppliedError('the scenario was not set up on a key of the demo');
  const obstacle =
    remedy === 'ChangeLimit' ? againstChange(requests, target.nodes.length, bounds) : undefined;
  if (obstacle !== undefined) throw new NotAppliedError(obstacle);
  await requireNodes();
  const known = await reference.find(fixture, signal);
  if (!known) {
    throw new NotAppliedError(
      `${reference.clients[0]?.name ?? 'no pod'} does not know the key ${fixture}: it is gone, or the scenario has set up other keys than that`,
    );
  }
  // What is set comes from the spec alone, and so does what the figures are compared with.
  if (known.limit !== requests) {
    throw new NotAppliedError(
      `a node says of ${fixture} that its limit is ${known.limit}, and not the ${requests} of the spec`,
    );
  }
  const before = await reference.sample(fixture, signal);
  const missing = missingIn(before, target.nodes.length);
  if (missing !== undefined) throw new NotAppliedError(`its counters could not be read before: ${missing}`);
  if (remedy === 'ResetCounter' && totalAdmitted(before) === 0 && before.stored === 0) {
    throw new NotAppliedError(
      `there is nothing to reset: the window of ${fixture} that was counted in is over`,
    );
  }
  return { before, reference };
}

/** One request to each of some pods, and then whether pods and Redis agree on what was admitted. */
async function measureReset(
  tools: RemedyTools,
  reference: ReferenceLimiter,
  window: LimitWindow,
  before: CounterSample,
  signal: AbortSignal,
): Promise<RemedyReport> {
  const { key, limit } = window;
  const requests = Math.min(MOST_ASKED, limit, tools.target.nodes.length);
  const { allowed } = await measure(tools, window, requests, signal);
  const isAsAllowed = (sample: CounterSample): boolean =>
    totalAdmitted(sample) === allowed && sample.stored === allowed;
  const after = await reference.atRest(key, AGREE_WITHIN_MS, signal, isAsAllowed);
  const missing = missingIn(after, reference.clients.length);
  if (missing !== undefined) throw new Error(`the counters could not be read: ${missing}`);
  const was = `Before, the nodes had admitted ${totalAdmitted(before)} and Redis held ${before.stored}`;
  const is = `Measured again, ${allowed} of ${counted(requests, 'request')} ${allowed === 1 ? 'was' : 'were'} allowed; the nodes have admitted ${totalAdmitted(after)} and Redis holds ${after.stored}`;
  const figures = (sample: CounterSample): Figures => [
    ...figuresOf(limit, totalAdmitted(sample)),
    { name: 'stored', value: sample.stored ?? 0, unit: 'counts' },
  ];
  return {
    state: allowed === requests && isAsAllowed(after) ? 'Applied' : 'Ineffective',
    before: figures(before),
    after: figures(after),
    message: `A fresh window of ${key} was started. ${was}. ${is}`,
  };
}

/** What one limit admitted of so many requests at once in a new window. */
interface Measured {
  readonly limit: number;
  readonly requests: number;
  readonly allowed: number;
}

async function measure(
  { budget, limiter, now, target, timeoutMs }: RemedyTools,
  { key, limit, windowId }: LimitWindow,
  requests: number,
  signal: AbortSignal,
): Promise<Measured> {
  const burst = { nodes: target.nodes, key, windowId, requests, timeoutMs, budget, now };
  const {
    admitted: allowed,
    errors,
    firstError,
    timeouts: unanswered,
  } = await injectBurstTraffic(burst, signal);
  if (errors + unanswered > 0 && allowed <= limiter.limit.requests) {
    throw new Error(
      `${errors + unanswered} of ${requests} requests had no proper answer: ${firstError ?? 'no reason is known'}`,
    );
  }
  return { limit, requests, allowed };
}

/**
 * The old limit and then the new one. A new window admits at least one share: a limiter that rejects more than that is
 * not helped. Nor does it show anything that the new limit is kept if the old one was kept as well.
 */
function reportOf(
  key: string,
  most: number,
  old: Measured,
  { allowed, limit, requests }: Measured,
): RemedyReport {
  const isKept = allowed >= limit && allowed <= most;
  const proves = old.allowed > most;
  const said = `The limit of ${key} was changed from ${old.limit} to ${limit}. Of ${requests} requests at once it let ${old.allowed} through before and ${allowed} after, where ${limit} to ${most} are to be`;
  return {
    state: !isKept ? 'Ineffective' : proves ? 'Applied' : 'Unproven',
    before: figuresOf(old.limit, old.allowed),
    after: figuresOf(limit, allowed),
    message: isKept && !proves ? `${said}: nothing shows that the change helped` : said,
  };
}

function figuresOf(limit: number, admitted: number): Figures {
  return [
    { name: 'limit', value: limit, unit: 'requests' },
    { name: 'admitted', value: admitted, unit: 'requests' },
  ];
}
