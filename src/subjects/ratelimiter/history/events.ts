/**
 * What happened around one fault, as seen from outside: the vocabulary of a history. Everything that is judged, shown
 * or exported is a function of these events. Schemas, since a history may come from a file.
 *
 * Times are milliseconds since the epoch by the monotonic clock of the process that sent the requests; fractions count.
 */
import { z } from 'zod';

/** A moment until the end of year 9999, the last that RFC 3339 can write. */
const at = z.number().min(0).max(253_402_300_799_999);
const count = z.int().min(0).max(1_000_000_000);
const pod = z.string().max(253);
const pods = z.array(pod).max(1024);
/** As pods report and Redis holds it: any whole number. */
const told = z.int();
const podCounts = z.record(pod, told.min(0));
const key = z.string().max(512);
const text = z.string().max(2048);

/** Error: an answer that neither admits nor rejects, or a connection that broke. Timeout: no answer in time. */
export const OUTCOMES = ['Admitted', 'Rejected', 'Error', 'Timeout'] as const;

/**
 * Why a request failed. Unreachable: there was no connection, so it was not admitted. ServerError: a status from 500 on,
 * so it was not admitted. Reset: the connection broke. Answer: the answer neither admits nor rejects. After a Reset or an
 * Answer it is unknown whether the request was admitted.
 */
export const CAUSES = ['Unreachable', 'Reset', 'ServerError', 'Answer'] as const;

/**
 * Under: stays under its limit. Over: had used its limit up before the fault. New: first seen in the fault,
 * and crosses its limit there. Crossing: had one request left when the fault began, and crosses its limit there.
 * Account: asks for a part of its limit in the fault and uses the rest up afterwards, so that its counts can be
 * reconciled. Returning: used its limit up, and waits for it to be replenished. Control: needs no limiter.
 * Steady: sends at a fixed rate during the fault, up to its limit and beyond. Burst: sends more than its limit at once.
 */
export const CALLERS = [
  'Under',
  'Over',
  'New',
  'Crossing',
  'Account',
  'Returning',
  'Control',
  'Steady',
  'Burst',
] as const;

/** An answer that came after its caller had given up. */
const late = z.strictObject({ outcome: z.enum(['Admitted', 'Rejected', 'Error']), at });

/** One request that left the operator, with its outcome. */
export const callerRequest = z.strictObject({
  pod,
  caller: z.enum(CALLERS),
  /** Which of several callers of that kind; left out: there is one, or it does not matter. */
  key: key.optional(),
  sentAt: at,
  /** When the answer arrived, or was given up. */
  endedAt: at,
  outcome: z.enum(OUTCOMES),
  cause: z.enum(CAUSES).optional(),
});

const fault = z.discriminatedUnion('step', [
  /** It is about to be injected, and ends at `until` at the latest. */
  z.strictObject({ kind: z.literal('fault'), step: z.literal('Planned'), at, until: at }),
  /** What is known of it by now; replaces what was reported before. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('Reported'),
    startedAt: at.optional(),
    endedAt: at.optional(),
    proof: z.enum(['Confirmed', 'Mismatch', 'Inconclusive']).optional(),
    message: text,
    evidence: z.array(text).max(16),
  }),
  /** So many connections of each pod were ended by then, since the fault began. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('ConnectionsEnded'),
    at,
    connections: podCounts,
  }),
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  z.strictObject({ kind: z.literal('fault'), step: z.literal('Doubted'), at }),
]);

/** One read or write of the store by a client of its own. */
const probe = z.strictObject({
  kind: z.literal('probe'),
  /**
   * Read, Written: it was answered after `tookMs`. Waiting: a write has waited for `tookMs`. Unreachable: no answer came.
   * Lost: a connection broke with a write that was not answered. Refused: an error was answered. Restarted: another server
   * process answers.
   */
  state: z.enum([
    'Read',
    'Written',
    'Waiting',
    'Unreachable',
    'Lost',
    'ReadRefused',
    'WriteRefused',
    'Restarted',
  ]),
  at,
  tookMs: z.number().min(0).optional(),
});

const health = z.strictObject({
  kind: z.literal('health'),
  at,
  /** State of each pod, by its name. */
  pods: z.record(pod, z.string().max(64)),
  /** Whether every pod says that it reaches its store. */
  connected: z.boolean(),
});

/** An event of a history, as one line of a file holds it. */
export const historyEvent = z.union([
  fault,
  z.discriminatedUnion('kind', [
    callerRequest.extend({ kind: z.literal('request'), id: count }),
    /** The request `id`, recorded as unanswered, has an answer after all. */
    late.extend({ kind: z.literal('late'), id: count }),
    /** So many requests were not sent, or their answers not awaited, for want of connections or memory. */
    z.strictObject({ kind: z.literal('left-out'), requests: count }),
    /** So many events are missing, since the history was full. */
    z.strictObject({ kind: z.literal('dropped'), events: count }),
    probe,
    health,
    /** One look at the counters of a caller; see `CounterSample`. */
    z.strictObject({
      kind: z.literal('count'),
      key,
      readAt: at,
      endedAt: at,
      admitted: podCounts,
      stored: told.optional(),
      storeSilent: z.boolean().optional(),
      reportedBy: pod.optional(),
      idle: z.boolean().optional(),
      elsewhere: pods,
      improper: pods.optional(),
      unasked: pods.optional(),
      problems: z.array(text).max(1100),
      /** Requests that were on their way when the look ended, by pod. */
      inFlight: podCounts,
    }),
    /** All requests of a burst, recorded before it, have their outcomes. */
    z.strictObject({
      kind: z.literal('burst'),
      key,
      startedAt: at,
      endedAt: at,
      /** From writing the first request to writing the last, at most; milliseconds. */
      sendSpanMs: z.number().min(0),
      /** Requests that never left, by pod. */
      notSent: podCounts,
      /** The message of the first request that failed or had no answer. */
      firstError: text.optional(),
      at,
    }),
    /** No more bursts follow, though more were planned. */
    z.strictObject({ kind: z.literal('stopped'), at, why: text }),
    /** What the store held once the counts had come to rest, or the time for it was over. */
    z.strictObject({ kind: z.literal('rest'), at, stored: told }),
    /** Pods that were deleted while the fault was watched. */
    z.strictObject({ kind: z.literal('gone'), at, pods }),
    /** The one caller whose limit was replenished begins to send. */
    z.strictObject({ kind: z.literal('arrived'), at }),
    /** Every answer of the traffic is there or given up; `moved`: pods that are not at their addresses any more. */
    z.strictObject({ kind: z.literal('traffic-ended'), at, moved: pods }),
    /** The counts of the callers of accounts are about to be read by using up what is left of their limits. */
    z.strictObject({ kind: z.literal('accounts'), at, keys: z.array(key).max(1024) }),
    /** No more of those requests come. */
    z.strictObject({ kind: z.literal('accounts-ended'), at }),
    /** Callers that used their limits up begin to wait for them; or why none does. */
    z.strictObject({
      kind: z.literal('return'),
      at,
      keys: z.array(key).max(1024),
      why: text.optional(),
    }),
    /** A probe of the operator saw the store work again after the fault. */
    z.strictObject({ kind: z.literal('recovered'), at, restedAt: at.optional() }),
    /** Nothing more will be observed of callers. */
    z.strictObject({ kind: z.literal('ended'), at }),
  ]),
]);

export type HistoryEvent = z.infer<typeof historyEvent>;
export type CallerKind = (typeof CALLERS)[number];
export type RequestOutcome = (typeof OUTCOMES)[number];
export type LateAnswer = Readonly<z.infer<typeof late>>;
/** One request with its outcome, and the answer that came after its caller had given up, if one did. */
export type CallerRequest = Readonly<z.infer<typeof callerRequest>> & { readonly late?: LateAnswer };
export type FaultEvent<S extends EventOf<'fault'>['step']> = Extract<EventOf<'fault'>, { step: S }>;
/** One read or write of the store by a client of its own. */
export type ProbeEvent = EventOf<'probe'>;
export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
