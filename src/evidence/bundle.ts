/**
 * Evidence: the observations around one anomaly or its absence, in subject-independent terms. Rules and models reason
 * from it, reports and plots show it. It names no fault, chapter or scenario, so that an explanation has to come from
 * the observations, and not from knowing the answer.
 */
import { z } from 'zod';

/** Changes with the meaning of a bundle; recordings of another version are rejected. */
export const EVIDENCE_VERSION = 'evidence/v2';

/** Bounds of a bundle. */
export const EVIDENCE_LIMITS = {
  /** 64 replicas, a store and a client; further replicas are left out, and an event reports that. */
  components: 66,
  series: 1024,
  /** In all series together. */
  points: 12_000,
  events: 200,
  text: 256,
  values: 16,
} as const;

/** The role of a component: one of several equal replicas, a store that they share, or the client sending requests. */
export const COMPONENT_ROLES = ['client', 'replica', 'store'] as const;
export type ComponentRole = (typeof COMPONENT_ROLES)[number];

/** Signals of series, with their unit. */
export const SIGNALS = {
  'write-latency': { unit: 'ms', description: 'how long an accepted write took' },
  'write-outstanding': { unit: 'ms', description: 'how long a write that is not answered has waited so far' },
  'read-latency': { unit: 'ms', description: 'how long an answered read took' },
  unreachable: { unit: 'ms', description: 'how long it had answered nothing, while requests were sent' },
  'connections-made': {
    unit: 'connections',
    description: 'how many connections of any client it has accepted so far',
  },
  'connections-ended': { unit: 'connections', description: 'how many connections have ended so far' },
  'count-local': { unit: 'requests', description: 'how many it reports to have admitted so far' },
  'count-stored': { unit: 'requests', description: 'how many the store holds of all replicas' },
  'count-lag': {
    unit: 'requests',
    description: 'how far the store was behind the replicas at most while all was known to be well',
  },
  'requests-sent': {
    unit: 'requests',
    description: 'how many requests were sent to it so far, all of one caller, for whom the limit holds',
  },
  'requests-admitted': { unit: 'requests', description: 'how many it has allowed so far' },
  'admitted-elsewhere': {
    unit: 'requests',
    description:
      'how many requests it has allowed of one other caller with the same limit, all sent before that moment',
  },
  'requests-rejected': { unit: 'requests', description: 'how many it has rejected so far' },
  'requests-errors': {
    unit: 'requests',
    description: 'how many it has answered with an error, or refused, so far',
  },
  'requests-timeouts': { unit: 'requests', description: 'how many it has not answered in time so far' },
  'others-sent': {
    unit: 'requests',
    description: 'how many requests of other callers, each within its own limit, were sent to it so far',
  },
  'others-admitted': { unit: 'requests', description: 'how many of those it has allowed so far' },
  'others-rejected': { unit: 'requests', description: 'how many of those it has rejected so far' },
  'others-errors': {
    unit: 'requests',
    description: 'how many of those it has answered with an error, or refused, so far',
  },
  'others-timeouts': {
    unit: 'requests',
    description: 'how many of those it has not answered in time so far',
  },
  'newcomer-admitted': {
    unit: 'requests',
    description:
      'how many requests it has allowed so far of one more caller, with the same limit, first seen then',
  },
  'request-latency': { unit: 'ms', description: 'how long the answer to a request took' },
  limit: {
    unit: 'requests',
    description: 'how many requests all replicas together may have allowed so far, at most',
  },
} as const satisfies Record<string, { unit: 'ms' | 'requests' | 'connections'; description: string }>;

export type Signal = keyof typeof SIGNALS;
const signals = Object.keys(SIGNALS) as [Signal, ...Signal[]];

/** `replica-1`, `store`, `client`: only role and number; real names would reveal too much. */
const componentName = z.string().regex(/^(client|store|replica)(-[1-9][0-9]?)?$/);
/** Milliseconds since the origin of the bundle; negative: before it. */
const moment = z.number().min(-86_400_000).max(86_400_000);
const words = z.string().max(EVIDENCE_LIMITS.text);
/** Ids for claims: `s1` a series, `e1` an event, `v1` a value of the invariant. */
const idOf = (letter: string) => z.string().regex(new RegExp(`^${letter}[1-9][0-9]{0,3}$`));

const component = z.strictObject({ name: componentName, role: z.enum(COMPONENT_ROLES) });

const series = z.strictObject({
  id: idOf('s'),
  component: componentName,
  signal: z.enum(signals),
  /** Sorted by time. Thinned out so that extremes and changes stay. */
  points: z.array(z.tuple([moment, z.number()])).min(1),
});

const event = z.strictObject({
  id: idOf('e'),
  atMs: moment,
  component: componentName,
  /** The observation, in a sentence that needs no knowledge of the subject. */
  text: words,
});

const invariant = z.strictObject({
  /** With the names of `values`: "sum(count-local) - count-stored <= bound". */
  formula: words,
  broken: z.boolean(),
  brokenAtMs: moment.optional(),
  values: z
    .array(z.strictObject({ id: idOf('v'), name: z.string().max(64), value: z.number() }))
    .max(EVIDENCE_LIMITS.values),
});

/** All observations of one scenario. See {@link evidenceBundle} for the bounds that span members. */
export const evidenceBundle = z.strictObject({
  version: z.literal(EVIDENCE_VERSION),
  components: z.array(component).max(EVIDENCE_LIMITS.components),
  series: z
    .array(series)
    .max(EVIDENCE_LIMITS.series)
    .refine((all) => all.reduce((sum, { points }) => sum + points.length, 0) <= EVIDENCE_LIMITS.points, {
      message: `more than ${EVIDENCE_LIMITS.points} points`,
    }),
  events: z.array(event).max(EVIDENCE_LIMITS.events),
  invariant: invariant.optional(),
});

export type EvidenceBundle = z.infer<typeof evidenceBundle>;
export type EvidenceComponent = EvidenceBundle['components'][number];
export type EvidenceSeries = EvidenceBundle['series'][number];

/** Ids that a claim may cite. */
export function evidenceIds({ series, events, invariant }: EvidenceBundle): Set<string> {
  return new Set([...series, ...events, ...(invariant?.values ?? [])].map(({ id }) => id));
}
