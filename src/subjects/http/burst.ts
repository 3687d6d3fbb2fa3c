/**
 * A burst: many requests to several addresses at one moment. Each has its own connection and is encoded before; at the
 * moment all are written in one turn of the event loop.
 */
import { fairTimeout, pauseFor, within } from '@chaosdemo/redis-faults/waiting';
import type { PodTarget } from '../targets/target.ts';
import type { HttpAnswer } from './answer.ts';
import { Connection, type Exchange } from './connection.ts';
import type { ConnectionLease, ConnectionShare } from './connection-budget.ts';
import { costOf, type Dial, dialTcp } from './dial.ts';
import type { Failure } from './failure.ts';
import type { RequestResult } from './pod-client.ts';
import { encodeRequest, type HttpRequest } from './request.ts';
import { ResponseReader } from './response-reader.ts';

export interface BurstPlan<T> {
  /** Each gets a request in turn, so that the counts of two differ by at most one. */
  readonly pods: readonly PodTarget[];
  readonly request: HttpRequest;
  /** Requests in all. */
  readonly count: number;
  /**
   * A request without effect: each pod gets it a few times before the burst and again right before it, over separate
   * connections, so that the code of both sides is compiled, and the first request finds the pod awake. The answers are
   * ignored. Without it, a pod that is faster than the sender falls asleep between two requests, and each request has to
   * wake it.
   */
  readonly wakeUp?: HttpRequest;
  /** What is kept of an answer. Must not throw. */
  readonly read: (answer: HttpAnswer) => T;
  /** How long opening a connection, and one request, may take; milliseconds. */
  readonly timeoutMs: number;
  /** Connections are taken from it and given back in the end; so is the memory of answers that arrive in parts. */
  readonly budget: ConnectionShare;
  /**
   * Milliseconds since the epoch: limits the wait for connections and their opening, in total. Default: `timeoutMs` for
   * the wait, and for each connection to open.
   */
  readonly until?: number;
  /** When to write, in milliseconds since the epoch; as soon as possible if left out or in the past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Called right before the first request is written; if it throws, none is. */
  readonly onStart?: () => void;
  /** Default: plain TCP. */
  readonly dial?: Dial;
}

/**
 * The result of one request. Moments in milliseconds since the epoch, by a clock that is monotonic from the start of
 * the burst. If a request was not sent, `sentAt` is when it would have been. Answers are noticed only after all
 * requests were written.
 */
export type Outcome<T> = { readonly pod: string } & RequestResult<T>;

export interface Burst<T> {
  /** One for each request, in their order. */
  readonly outcomes: readonly Outcome<T>[];
  /** When the first request was written, and when the last outcome was known. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From before the first request was written until the last was: each fits into the socket of its connection; milliseconds. */
  readonly sendSpanMs: number;
}

/** Connections that are opened at the same time. */
const OPEN_AT_ONCE = 200;
/** This long before the moment, connections that were lost in between are opened again. */
const SECOND_LOOK_MS = 300;
/** With more, the first ones are evicted before the last are rehearsed: 10,000 were no faster, 1,000 a little. */
const MOST_REHEARSED = 1000;
/** Wake-up requests to one pod: with fewer it sometimes falls asleep again between two requests; more gain nothing. */
const WAKE_UPS = 8;
/** How long their answers may take before the burst; milliseconds. */
const WARM_UP_MS = 50;
/** Wake-up requests in total: with more pods each gets fewer, because connections are expensive. */
const MOST_WAKE_UPS = 48;

/**
 * Sends the burst and waits until each request has its outcome, at most `timeoutMs`. All connections are closed in the
 * end, also on an error.
 *
 * @throws Error if a connection could not be opened: no request of the burst was sent then; TypeError; what
 * `onStart` throws; the reason of `signal` as soon as it is aborted
 * @example
 * const request = { method: 'POST', path: '/check', body: '{}' };
 * const plan = { pods, request, count: 100, read: ({ status }) => status, timeoutMs: 5000, budget };
 * const { outcomes } = await sendBurst(plan, signal);
 */
export async function sendBurst<T>(plan: BurstPlan<T>, signal: AbortSignal): Promise<Burst<T>> {
  signal.throwIfAborted();
  const { count, pods, request, wakeUp } = plan;
  if (pods.length === 0) throw new Error('there is no pod to send a burst to');
  if (leftFor(plan) === 0) throw new Error('the burst was not sent: its time was over');
  const lines = linesTo(pods, count, request);
  const woken = pods.slice(0, Math.min(count, MOST_WAKE_UPS));
  const ofEach = Math.min(WAKE_UPS, Math.floor(MOST_WAKE_UPS / woken.length));
  const wakeUps = wakeUp ? linesTo(woken, ofEach * woken.length, wakeUp) : [];
  const all = [...wakeUps, ...lines];
  const lease = await leaseOf(plan, all.length, signal);
  const stop = (): void => {
    for (const line of all) line.connection?.fail('STOPPED', 'the burst was stopped');
  };
  // Closes at once, without waiting for the current step to notice.
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { at = 0, now = Date.now } = plan;
    await openAll(all, plan, signal);
    await pauseFor(at - SECOND_LOOK_MS - now(), signal);
    await openAll(all, plan, signal);
    return await fire(lines, wakeUps, plan, signal);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    lease.release();
  }
}

/** One request of the burst with its connection. */
interface Line {
  readonly pod: PodTarget;
  readonly method: string;
  readonly bytes: Buffer;
  connection: Connection | undefined;
}

/** So many requests, to each pod in turn. */
function linesTo(pods: readonly PodTarget[], count: number, request: HttpRequest): Line[] {
  const encoded = pods.map((pod) => ({ pod, bytes: encodeRequest(request, pod) }));
  return Array.from({ length: count }, (_, i) => ({
    ...(encoded[i % pods.length] as (typeof encoded)[number]),
    method: request.method,
    connection: undefined,
  }));
}

async function leaseOf<T>(
  plan: BurstPlan<T>,
  connections: number,
  signal: AbortSignal,
): Promise<ConnectionLease> {
  const { budget, pods, timeoutMs } = plan;
  const cost = Math.max(...pods.map(costOf));
  const timeout = fairTimeout(leftFor(plan) ?? timeoutMs);
  try {
    return await budget.acquire(connections * cost, AbortSignal.any([timeout.signal, signal]));
  } catch {
    signal.throwIfAborted();
    const each = cost > 1 ? `, each of which counts as ${cost} since it is encrypted` : '';
    throw new Error(
      `the burst was not sent: it needs ${connections} connections${each}, and other runs left fewer until its time was over (a namespace may have ${budget.most}): run fewer at once, or send fewer requests`,
    );
  } finally {
    timeout.end();
  }
}

/** Milliseconds until the time of the burst has ended; undefined if the plan sets no end. */
function leftFor<T>({ now = Date.now, until }: BurstPlan<T>): number | undefined {
  return until === undefined ? undefined : Math.max(0, until - now());
}

async function openAll<T>(lines: readonly Line[], plan: BurstPlan<T>, signal: AbortSignal): Promise<void> {
  const closed = lines.filter(({ connection }) => !connection?.idle);
  for (let i = 0; i < closed.length; i += OPEN_AT_ONCE) {
    const some = closed.slice(i, i + OPEN_AT_ONCE);
    const left = leftFor(plan) ?? Infinity;
    const failures = Promise.all(some.map(async (line) => await open(line, plan)));
    await within(failures, Math.min(plan.timeoutMs, left), signal);
    const late =
      left < plan.timeoutMs
        ? `${closed.length} connections were not all open before the time of the burst was over: let the pods take them faster, or send fewer requests`
        : `it did not respond within ${plan.timeoutMs} ms`;
    for (const { connection } of some) if (!connection?.idle) connection?.fail('TIMEOUT', late);
    signal.throwIfAborted();
    for (const [j, failure] of (await failures).entries()) {
      if (!failure) continue;
      throw new Error(
        `the burst was not sent: a connection to ${some[j]?.pod.name} did not work: ${failure.message}`,
      );
    }
  }
}

/** @returns why the connection cannot be used; undefined if it is open */
async function open<T>(line: Line, { dial = dialTcp }: BurstPlan<T>): Promise<Failure | undefined> {
  line.connection?.fail('STOPPED', 'another connection takes its place');
  line.connection = new Connection(line.pod, dial);
  return await line.connection.opened;
}

/** Sends these requests over connections that are idle. Resolves once all have an outcome, which is ignored. */
async function wake(wakeUps: readonly Line[], budget: ConnectionShare): Promise<void> {
  const sent = wakeUps.map(async ({ bytes, connection, method }) => {
    if (!connection?.idle) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    connection.expect(new ResponseReader(method, budget), resolve);
    connection.write(bytes);
    await promise;
  });
  await Promise.all(sent);
}

async function fire<T>(
  lines: readonly Line[],
  wakeUps: readonly Line[],
  plan: BurstPlan<T>,
  signal: AbortSignal,
): Promise<Burst<T>> {
  const { at = 0, budget, now = Date.now, timeoutMs, read } = plan;
  const sentAt = new Float64Array(lines.length);
  const endedAt = new Float64Array(lines.length);
  const results: Exchange<T>[] = [];
  let open = lines.length;
  const { promise: all, resolve: onAll } = Promise.withResolvers<void>();
  for (const [i, { connection, method }] of lines.entries()) {
    connection?.expect(new ResponseReader(method, budget), (outcome) => {
      endedAt[i] = performance.now();
      results[i] = outcome.failure ? outcome : { answer: read(outcome.answer) };
      open -= 1;
      if (open === 0) onAll();
    });
  }
  await pauseFor(at - now() - WARM_UP_MS, signal);
  // Code that has not run for a while is slow at first, here and in the pod.
  await within(wake(wakeUps, budget), WARM_UP_MS, signal);
  await pauseFor(at - now(), signal);
  // Code that has not run for a while is slow at first: by a third for a burst of 20 after 100 ms.
  for (const { connection } of lines.slice(0, MOST_REHEARSED)) connection?.rehearse();
  // Sockets are read before an immediate: nothing that came earlier can be taken for an answer.
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
  plan.onStart?.();
  signal.throwIfAborted();

  void wake(wakeUps, budget);
  const offset = now() - performance.now();
  const startedAt = performance.now();
  for (let i = 0; i < lines.length; i++) {
    const { connection, bytes } = lines[i] as Line;
    sentAt[i] = performance.now();
    connection?.write(bytes);
  }
  const writtenAt = performance.now();
  if (lines.length > 0) await within(all, timeoutMs, signal);
  signal.throwIfAborted();
  for (const { connection } of lines) {
    connection?.fail('TIMEOUT', `it got no response within ${timeoutMs} ms`);
  }
  const finishedAt = performance.now();
  return {
    outcomes: lines.map(({ pod }, i) => ({
      pod: pod.name,
      sentAt: (sentAt[i] as number) + offset,
      endedAt: (endedAt[i] as number) + offset,
      ...(results[i] as Exchange<T>),
    })),
    startedAt: startedAt + offset,
    endedAt: finishedAt + offset,
    sendSpanMs: writtenAt - startedAt,
  };
}
