/**
 * What is observed of a fault of Redis: its steps, and the probes that prove it. They are schemas, because a history may
 * come from a file. Times are milliseconds since the epoch; fractions count.
 */
import { z } from 'zod';

/**
 * A fault that ends this much before its planned end did not last, in milliseconds: Redis ends a pause late, never
 * early.
 */
export const EARLY_MS = 250;

/** A moment until the end of year 9999, the last that RFC 3339 can write. */
export const moment = z.number().min(0).max(253_402_300_799_999);
/** The name of a pod. */
export const podName = z.string().max(253);
/** A count for each pod, by its name. */
export const podCounts = z.record(podName, z.int().min(0));
export const text = z.string().max(2048);

export const faultEvent = z.discriminatedUnion('step', [
  /** It is about to be injected, and ends no later than `until`. */
  z.strictObject({ kind: z.literal('fault'), step: z.literal('Planned'), at: moment, until: moment }),
  /** What is known of it now; replaces earlier reports. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('Reported'),
    startedAt: moment.optional(),
    endedAt: moment.optional(),
    proof: z.enum(['Confirmed', 'Mismatch', 'Inconclusive']).optional(),
    message: text,
    evidence: z.array(text).max(16),
  }),
  /** How many connections of each pod were ended by then, since the fault began. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('ConnectionsEnded'),
    at: moment,
    connections: podCounts,
  }),
  /** So many keys that held a count are gone by then, with so much in all. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('CountsLost'),
    at: moment,
    keys: z.int().min(0),
    /** Keys that were to be lost; left out in earlier histories. */
    of: z.int().min(0).optional(),
    total: z.int().min(0),
  }),
  /** By its own probes the fault was active since `sinceMs`, or was not any more. */
  z.strictObject({
    kind: z.literal('fault'),
    step: z.literal('Seen'),
    at: moment,
    isActive: z.boolean(),
    sinceMs: z.number().min(0),
  }),
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  z.strictObject({ kind: z.literal('fault'), step: z.literal('Doubted'), at: moment }),
]);

/** One read or write of the store by a separate client. */
export const probeEvent = z.strictObject({
  kind: z.literal('probe'),
  /**
   * Read, Written: it was answered after `tookMs`. Waiting: a write has waited for `tookMs`. Unreachable: no answer
   * came. Lost: a connection broke with an unanswered write. Refused: the answer was an error. Restarted: another
   * server process answers. Connections: of any client, Redis has accepted `made` since the watch began; `open` are
   * open now, and Redis takes `bytes` of memory. The latter two are left out in earlier histories.
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
    'Connections',
  ]),
  at: moment,
  tookMs: z.number().min(0).optional(),
  made: z.int().min(0).optional(),
  open: z.int().min(0).optional(),
  bytes: z.int().min(0).optional(),
});

export type FaultEvent<S extends z.infer<typeof faultEvent>['step']> = Extract<
  z.infer<typeof faultEvent>,
  { step: S }
>;
/** One read or write of the store by a separate client. */
export type ProbeEvent = z.infer<typeof probeEvent>;
