/**
 * The answer of a provider: a diagnosis by a closed schema, each claim with the evidence it rests on. Answers are
 * untrusted, from any provider: they are bounded and checked against the bundle.
 */
import { z } from 'zod';

/** Classes of anomalies and their symptoms; a diagnosis is graded by its class. */
export const ANOMALY_CLASSES = {
  none: 'nothing is wrong: every component did what it should',
  'store-writes-stalled': 'the store answers reads, and accepts writes late or not at all',
  'store-connections-broken':
    'connections of the replicas to the store end soon after they are made, and with them what was sent',
  'store-unreachable': 'the store gives no answer of any kind',
  'store-restarted':
    'the store was away and has come back without what it held, or with an older state of it',
  'store-slow': 'reads and writes of the store take far longer than usual',
  'replica-unreachable': 'a replica gives no answer while others do',
  'replica-cut-off': 'a replica answers requests, and its counts do not reach the store',
  'replica-slow': 'a replica answers far later than the others',
  'limit-not-enforced': 'a replica allows more than the limit by its own count',
  'uncoordinated-admission':
    'replicas together allow more than the limit, since each decides before it knows of the others',
  unknown: 'something is wrong, and the evidence does not tell what',
} as const;

export type AnomalyClass = keyof typeof ANOMALY_CLASSES;
export const anomalyClasses = Object.keys(ANOMALY_CLASSES) as [AnomalyClass, ...AnomalyClass[]];

/** The actions that an answer may suggest. The operator carries out none. */
export const ACTIONS = {
  none: 'do nothing',
  wait: 'wait until it ends',
  'reset-counter': 'reset the count of a key',
  'change-limit': 'change the limit of a key',
  'change-mode': 'change how the replicas decide',
  'restart-component': 'restart the component',
} as const;

export type Action = keyof typeof ACTIONS;
export const actions = Object.keys(ACTIONS) as [Action, ...Action[]];

/** Bounds of an answer; `text` in characters, `chainBytes` all texts of the chain together in UTF-8. */
export const ANSWER_LIMITS = { chain: 6, cites: 8, alternatives: 3, text: 256, chainBytes: 1536 } as const;

const componentName = z.string().max(32);
const cited = z
  .string()
  .regex(/^[sev][1-9][0-9]{0,3}$/)
  .describe('Id of a series, an event or a value of the bundle.');

const claim = z.strictObject({
  text: z.string().min(1).max(ANSWER_LIMITS.text).describe('One step, from cause to effect.'),
  evidence: z.array(cited).min(1).max(ANSWER_LIMITS.cites).describe('What shows it.'),
});

/** An answer. Models are held to this schema too. */
export const diagnosisAnswer = z.strictObject({
  anomaly: z.enum(anomalyClasses).describe('What is wrong.'),
  component: componentName.describe(
    'Where the cause lies: a component of the bundle; replicas: all of them alike; none: nothing is wrong.',
  ),
  chain: z.array(claim).min(1).max(ANSWER_LIMITS.chain).describe('From the cause to what was seen.'),
  action: z.enum(actions).describe('What to do about it.'),
  confidence: z.number().min(0).max(1).describe('How sure the answer is.'),
  alternatives: z
    .array(z.strictObject({ anomaly: z.enum(anomalyClasses), component: componentName }))
    .max(ANSWER_LIMITS.alternatives)
    .describe('What else it may be, or what else is wrong, the likeliest first.'),
});

export type DiagnosisAnswer = z.infer<typeof diagnosisAnswer>;
export type Claim = DiagnosisAnswer['chain'][number];
