/**
 * Carries out what a diagnosis asks for, on one key of the demo, through the interface of the reference limiter: it
 * looks at the key, asks its permit, defines the limit anew, which starts a fresh window on every node, and measures
 * what that came to with real requests; where it changes the limit, also what the old one comes to. What it says, it
 * has measured.
 */
import { counted, messageOf, parseDuration } from '../../../api/index.ts';
import type { SubjectEffect } from '../../../demo/effects.ts';
import type { RemedyReport } from '../../../demo/observed.ts';
import type { Permit } from '../../../demo/subject.ts';
import type { Toolkit } from '../faults/fault.ts';
import { injectBurstTraffic } from '../interfaces/reference/check-burst.ts';
import { type CounterSample, sampleCounters, totalAdmitted } from '../interfaces/reference/counter-sample.ts';
import { SAMPLE_EVERY_MS } from '../interfaces/reference/counter-watch.ts';
import { type LimitWindow, setupRateLimit } from '../interfaces/reference/setup-limit.ts';
import { isDemoKey } from '../schema.ts';
import { endingWithin, fairTimeout, pauseFor } from '../waiting.ts';
import { againstChange, measuringRequests, shareOf } from './bounds.ts';

/** What one is carried out with. */
export interface RemedyTools extends Toolkit {
  /** Asked right before a limit is defined. */
  readonly permit: Permit;
  /** @throws where a node is not at its address any more, or that could not be found out */
  readonly requireNodes: () => Promise<void>;
}

export type RemedyOrder = Pick<
  Extract<SubjectEffect, { kind: 'Remediate' }>,
  'fixture' | 'limit' | 'remedy' | 'until'
>;

/** Nodes that are asked for one request each after a reset, at most. */
const MOST_ASKED = 10;

/** How long the counters may take to agree after that, in milliseconds. */
const AGREE_WITHIN_MS = 5000;

/** How long what is under way may take to end once it has to, in milliseconds: a restore waits for it. */
const END_WITHIN_MS = 1500;

/** It is not carried out; the message says why. */
class NotAppliedError extends Error {}

/** A key as it was seen. */
interface Seen {
  readonly limit: number;
  readonly admitted: number;
  readonly stored: number;
}

/**
 * Carries it out, once. Given up at `until` of the order, or when `signal` is aborted, and 1.5 s later at the latest,
 * however long a node or Redis holds back its answer. Never throws: also where it is stopped in the midst, the report
 * says what was done.
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
    const { before, limit } = await prepared(tools, order, stop);
    const { requests } = tools.limiter.limit;
    const define = async (limit: number, then: typeof done): Promise<LimitWindow> => {
      const refusal = tools.permit.refusal();
      if (refusal !== undefined) throw new NotAppliedError(refusal);
      done = then;
      return await defined(tools, order.fixture, limit, stop);
    };
    if (order.remedy === 'ResetCounter') {
      return await measureReset(tools, await define(requests, 'sent'), before, stop);
    }
    const control = await measureLimit(tools, await define(requests, 'control'), stop);
    return reportOf(control, await measureLimit(tools, await define(limit, 'sent'), stop), requests);
  };
  try {
    return await endingWithin(carriedOut(), END_WITHIN_MS, stop);
  } catch (error) {
    const why = timeout.signal.aborted && !signal.aborted ? 'its time was over' : messageOf(error);
    if (done === 'nothing') return { state: 'NotApplied', message: `Nothing was sent: ${why}` };
    if (done === 'control') {
      const message = `The limit of ${order.fixture} was not changed; at most a fresh window of it was begun: ${why}`;
      return { state: 'Unproven', message };
    }
    const message = `${order.remedy} was sent for ${order.fixture}, and what it came to could not be measured: ${why}`;
    return { state: 'Unproven', message };
  } finally {
    timeout.end();
  }
}

/** The key as it is, and the limit that is to be set. @throws what stands against it */
async function prepared(
  tools: RemedyTools,
  { fixture, limit: bounds, remedy }: RemedyOrder,
  signal: AbortSignal,
): Promise<{ before: Seen; limit: number }> {
  const { limiter, target } = tools;
  if (limiter.interface.http) throw new NotAppliedError('a rate limiter behind HTTP has no interface for it');
  if (!isDemoKey(fixture)) throw new NotAppliedError('the scenario was not set up on a key of the demo');
  const { requests } = limiter.limit;
  const nodes = target.nodes.length;
  const obstacle = remedy === 'ChangeLimit' ? againstChange(requests, nodes, bounds) : undefined;
  if (obstacle !== undefined) throw new NotAppliedError(obstacle);
  await tools.requireNodes();
  const before = await seen(tools, fixture, signal);
  // What is set comes from the spec alone, and so does what the figures are held against.
  if (before.limit !== requests) {
    throw new NotAppliedError(
      `a node says of ${fixture} that its limit is ${before.limit}, and not the ${requests} of the spec`,
    );
  }
  if (remedy === 'ChangeLimit') return { before, limit: shareOf(requests, nodes) };
  if (before.admitted === 0 && before.stored === 0) {
    throw new NotAppliedError(
      `there is nothing to reset: the window of ${fixture} that was counted in is over`,
    );
  }
  return { before, limit: requests };
}

/** @throws where the key or its counters cannot be read on every node and in Redis */
async function seen(tools: RemedyTools, key: string, signal: AbortSignal): Promise<Seen> {
  const [first] = tools.clients;
  const known = await first?.limit(key, signal);
  if (!known) {
    throw new NotAppliedError(
      `${first?.name ?? 'no node'} does not know the key ${key}: it is gone, or the scenario has set up other keys than that`,
    );
  }
  const sample = await sampleCounters(
    tools.observers,
    tools.redis,
    { key, windowId: known.windowId },
    tools.now,
    signal,
  );
  const complete = completeOf(tools, sample);
  if ('missing' in complete) {
    throw new NotAppliedError(`its counters could not be read before: ${complete.missing}`);
  }
  return { limit: known.limit, ...complete };
}

function completeOf(
  { observers }: Pick<Toolkit, 'observers'>,
  sample: CounterSample,
): Pick<Seen, 'admitted' | 'stored'> | { readonly missing: string } {
  const { admitted, elsewhere, problems, stored } = sample;
  if (stored === undefined || admitted.size < observers.length) {
    return { missing: problems[0] ?? `${elsewhere.join(', ')} counts in another window` };
  }
  return { admitted: totalAdmitted(sample), stored };
}

async function defined(
  { clients, limiter, timeoutMs }: RemedyTools,
  key: string,
  limit: number,
  signal: AbortSignal,
): Promise<LimitWindow> {
  return await setupRateLimit(clients, key, limit, parseDuration(limiter.limit.window), timeoutMs, signal);
}

/** One request to each of some nodes, and then whether nodes and Redis agree on what was admitted. */
async function measureReset(
  tools: RemedyTools,
  window: LimitWindow,
  before: Seen,
  signal: AbortSignal,
): Promise<RemedyReport> {
  const asked = tools.loaders.slice(0, Math.min(MOST_ASKED, window.limit));
  let allowed = 0;
  for (const client of asked) {
    const answer = await client.check(window.key, signal);
    if (answer.windowId !== window.windowId) throw new Error(`${client.name} answered for another window`);
    if (answer.allowed) allowed += 1;
  }
  const { admitted, stored } = await agreed(tools, window, allowed, signal);
  const after = figuresOf({ remedy: 'ResetCounter' }, { limit: window.limit, admitted, stored });
  const helped = allowed === asked.length && admitted === allowed && stored === allowed;
  const was = `Before, the nodes had admitted ${before.admitted} and Redis held ${before.stored}`;
  const is = `Measured again, ${allowed} of ${counted(asked.length, 'request')} ${allowed === 1 ? 'was' : 'were'} allowed; the nodes have admitted ${admitted} and Redis holds ${stored}`;
  return {
    state: helped ? 'Applied' : 'Ineffective',
    before: figuresOf({ remedy: 'ResetCounter' }, before),
    after,
    message: `A fresh window of ${window.key} was started. ${was}. ${is}`,
  };
}

/** The counters once nodes and Redis hold `wanted`, or as they are when the time for that is over. @throws where they cannot be read */
async function agreed(
  tools: RemedyTools,
  window: LimitWindow,
  wanted: number,
  signal: AbortSignal,
): Promise<Pick<Seen, 'admitted' | 'stored'>> {
  const until = performance.now() + AGREE_WITHIN_MS;
  for (;;) {
    const sample = await sampleCounters(tools.observers, tools.redis, window, tools.now, signal);
    const complete = completeOf(tools, sample);
    const late = performance.now() >= until;
    if ('missing' in complete) {
      if (late) throw new Error(`the counters could not be read: ${complete.missing}`);
    } else if (late || (complete.admitted === wanted && complete.stored === wanted)) return complete;
    await pauseFor(SAMPLE_EVERY_MS, signal);
  }
}

/** What one limit let through of a burst in a fresh window. */
interface Measured {
  readonly key: string;
  readonly limit: number;
  readonly requests: number;
  readonly allowed: number;
}

/** A burst that goes beyond the limit of the spec where every node lets more than its share through. */
async function measureLimit(
  { budget, limiter, now, target, timeoutMs }: RemedyTools,
  { key, limit, windowId }: LimitWindow,
  signal: AbortSignal,
): Promise<Measured> {
  const { requests: most } = limiter.limit;
  const requests = measuringRequests(most, target.nodes.length);
  const burst = await injectBurstTraffic(
    { nodes: target.nodes, key, windowId, requests, timeoutMs, budget, now },
    signal,
  );
  const { allowed, errors, firstError, unanswered } = burst;
  if (errors + unanswered > 0 && allowed <= most) {
    throw new Error(
      `${errors + unanswered} of ${requests} requests had no proper answer: ${firstError ?? 'no reason is known'}`,
    );
  }
  return { key, limit, requests, allowed };
}

/**
 * What the old limit and then the new one came to. A fresh window lets at least one share through: who turns away more
 * than that is not helped. Nor does it show anything that the new limit is kept where the old one was kept as well.
 */
function reportOf(old: Measured, changed: Measured, most: number): RemedyReport {
  const { allowed, key, limit, requests } = changed;
  const isKept = allowed >= limit && allowed <= most;
  const proves = old.allowed > most;
  const said = `The limit of ${key} was changed from ${old.limit} to ${limit}. Of ${requests} requests at once it let ${old.allowed} through before and ${allowed} after, where ${limit} to ${most} are to be`;
  const figures = (measured: Measured) =>
    figuresOf({ remedy: 'ChangeLimit' }, { limit: measured.limit, admitted: measured.allowed, stored: 0 });
  return {
    state: !isKept ? 'Ineffective' : proves ? 'Applied' : 'Unproven',
    before: figures(old),
    after: figures(changed),
    message: isKept && !proves ? `${said}: nothing shows that the change helped` : said,
  };
}

function figuresOf(
  { remedy }: Pick<RemedyOrder, 'remedy'>,
  { admitted, limit, stored }: Seen,
): NonNullable<RemedyReport['after']> {
  const common = [
    { name: 'limit', value: limit, unit: 'requests' },
    { name: 'admitted', value: admitted, unit: 'requests' },
  ];
  return remedy === 'ChangeLimit' ? common : [...common, { name: 'stored', value: stored, unit: 'counts' }];
}
