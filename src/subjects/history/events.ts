/**
 * What happened around one fault, as observed from outside: the vocabulary of a history. Everything that is judged,
 * shown or exported is a function of these events. They are schemas, because a history may come from a file. Times are
 * milliseconds since the epoch by the monotonic clock of the process that sent the requests; fractions count.
 */
import {
  moment as at,
  faultEvent,
  podName as pod,
  podCounts,
  probeEvent,
  text,
} from '@chaosdemo/redis-faults/events';
import { z } from 'zod';

const count = z.int().min(0).max(1_000_000_000);
const pods = z.array(pod).max(1024);
/** A count as pods report it or Redis holds it: any integer. */
const integer = z.int();
const key = z.string().max(512);

/** Error: an answer that neither admits nor rejects, or a connection that broke. Timeout: no answer in time. */
export const OUTCOMES = ['Admitted', 'Rejected', 'Error', 'Timeout'] as const;

/**
 * Why a request failed. Unreachable: there was no connection, so it was not admitted. ServerError: a status from 500
 * on, so it was not admitted. Reset: the connection broke. Answer: the answer neither admits nor rejects. After a Reset
 * or an Answer it is unknown whether the request was admitted.
 */
export const CAUSES = ['Unreachable', 'Reset', 'ServerError', 'Answer'] as const;

/**
 * Drawn: one of a population, told apart by its key. Control: needs no limiter. Steady: sends at a fixed rate during
 * the fault, up to its limit and over it. Burst: sends more than its limit at once. Acquire, Release: a contender for the
 * lock of this key.
 */
export const CALLERS = ['Drawn', 'Control', 'Steady', 'Burst', 'Acquire', 'Release'] as const;

/** An answer that came after its caller had given up. */
const late = z.strictObject({ outcome: z.enum(['Admitted', 'Rejected', 'Error']), at });

/** One request that was sent, with its outcome. */
export const callerRequest = z.strictObject({
  pod,
  caller: z.enum(CALLERS),
  /** Which caller of that kind; left out: it does not matter. */
  key: key.optional(),
  sentAt: at,
  /** When the answer arrived, or the caller gave up. */
  endedAt: at,
  outcome: z.enum(OUTCOMES),
  cause: z.enum(CAUSES).optional(),
  /** Status of the answer, if it did not admit the request. */
  status: z.int().min(100).max(999).optional(),
  /** Acquire only: the fencing token of the grant. */
  fence: integer.optional(),
  /** Release only: the id of the Acquire that was granted. */
  grant: count.optional(),
});

const health = z.strictObject({
  kind: z.literal('health'),
  at,
  /** State of each pod, by its name. */
  pods: z.record(pod, z.string().max(64)),
  /** Whether every pod reports that it reaches its store. */
  connected: z.boolean(),
});

/** An event of a history, as on one line of a file. */
export const historyEvent = z.union([
  faultEvent,
  z.discriminatedUnion('kind', [
    callerRequest.extend({ kind: z.literal('request'), id: count }),
    /** The request `id`, recorded as unanswered, has an answer after all. */
    late.extend({ kind: z.literal('late'), id: count }),
    /** This many requests were not sent, or their answers not awaited, for lack of connections or memory. */
    z.strictObject({ kind: z.literal('left-out'), requests: count }),
    /** This many events are missing, because the history was full. */
    z.strictObject({ kind: z.literal('dropped'), events: count }),
    probeEvent,
    health,
    /** One sample of the counters of a caller; see `CounterSample`. */
    z.strictObject({
      kind: z.literal('count'),
      key,
      /** When the admissions had been read, and when the count had been read as well. */
      readAt: at,
      endedAt: at,
      /** The admissions of each pod by the sender's own count. */
      admitted: podCounts,
      /** What Redis counted over all pods; left out: it could not be read. */
      stored: integer.optional(),
      /** Whether Redis gave no answer at all. */
      storeSilent: z.boolean().optional(),
      /** Pods for which the window of the key may have ended. */
      elsewhere: pods,
      /** Why something is missing. */
      problems: z.array(text).max(1100),
      /** Requests in flight when the sample ended, by pod. */
      inFlight: podCounts,
    }),
    /** All requests of a burst, which are recorded before it, have their outcomes. */
    z.strictObject({
      kind: z.literal('burst'),
      key,
      startedAt: at,
      endedAt: at,
      /** At most from writing the first request to writing the last; milliseconds. */
      sendSpanMs: z.number().min(0),
      /** Requests that were not sent, by pod. */
      notSent: podCounts,
      /** The message of the first request that failed or had no answer. */
      firstError: text.optional(),
      at,
    }),
    /** No more bursts follow, although more were planned. */
    z.strictObject({ kind: z.literal('stopped'), at, why: text }),
    /** The count in the store once it had settled, or the time for that had ended. */
    z.strictObject({ kind: z.literal('rest'), at, stored: integer }),
    /** Pods that were deleted while the fault was watched. */
    z.strictObject({ kind: z.literal('gone'), at, pods }),
    /** Pods whose containers were restarted in the fault. */
    z.strictObject({ kind: z.literal('restarted'), at, pods }),
    /** Bytes of memory of pods, and when each was measured. */
    z.strictObject({
      kind: z.literal('memory'),
      at,
      pods: z.record(pod, z.strictObject({ at, bytes: z.int().min(0) })),
    }),
    /** The one caller whose limit was replenished begins to send. */
    z.strictObject({ kind: z.literal('arrived'), at }),
    /** Every answer of the traffic has arrived or was given up; `moved`: pods that are no longer at their addresses. */
    z.strictObject({ kind: z.literal('traffic-ended'), at, moved: pods }),
    /** Callers begin to wait for their limit; or why none does. */
    z.strictObject({ kind: z.literal('return'), at, why: text.optional() }),
    /** A probe of the operator saw the store work again after the fault. */
    z.strictObject({ kind: z.literal('recovered'), at, restedAt: at.optional() }),
    /** No more observations of callers follow. */
    z.strictObject({ kind: z.literal('ended'), at }),
  ]),
]);

export type HistoryEvent = z.infer<typeof historyEvent>;
export type CallerKind = (typeof CALLERS)[number];
export type RequestOutcome = (typeof OUTCOMES)[number];
export type LateAnswer = Readonly<z.infer<typeof late>>;
/** One request with its outcome, and the answer that came after its caller had given up, if any. */
export type CallerRequest = Readonly<z.infer<typeof callerRequest>> & { readonly late?: LateAnswer };
export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
