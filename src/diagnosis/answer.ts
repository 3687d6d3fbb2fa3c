/**
 * The answer of a provider: a diagnosis by a closed schema, each claim with the evidence it rests on. Answers are
 * untrusted, from any provider: they are bounded and checked against the bundle.
 */
import { z } from 'zod';

/**
 * Classes of anomalies, by their symptoms: a diagnosis is graded by its class. Of the actions that fit, the rules suggest
 * the first. The advice explains it.
 */
export const CLASSES = {
  none: { meaning: 'nothing is wrong: every component did what it should', actions: ['none'], advice: '' },
  'store-writes-stalled': {
    meaning: 'the store answers reads, and accepts writes late or not at all',
    actions: ['wait', 'change-mode'],
    advice:
      'Find what holds back its writes: a write pause, a failover, a full disk or a slow command. Decide what a replica does until then: reject, or continue with a fixed share.',
  },
  'store-connections-broken': {
    meaning:
      'connections of the replicas to the store end soon after they are made, and with them what was sent',
    actions: ['wait', 'restart-component', 'change-mode'],
    advice:
      'Find what ends the connections: a restart, a limit of clients, a proxy or a timeout. Decide what a replica does until then: reject, or continue with a fixed share.',
  },
  'store-unreachable': {
    meaning: 'the store gives no answer of any kind',
    actions: ['restart-component', 'wait', 'change-mode'],
    advice:
      'Check whether it runs and whether the replicas can reach it, and decide what a replica does without it.',
  },
  'store-restarted': {
    meaning: 'the store was away and has come back without what it held, or with an older state of it',
    actions: ['reset-counter', 'wait'],
    advice: 'Find out why it was restarted and whether its data survives a restart; earlier counts are gone.',
  },
  'store-slow': {
    meaning: 'reads and writes of the store take far longer than usual',
    actions: ['wait', 'change-mode', 'restart-component'],
    advice: 'Check the network between it and the replicas, slow commands, and its machine.',
  },
  'replica-unreachable': {
    meaning: 'a replica gives no answer while others do',
    actions: ['restart-component', 'wait'],
    advice: 'Check whether it runs, and take it out of traffic until it answers.',
  },
  'replica-cut-off': {
    meaning: 'a replica answers requests, and its counts do not reach the store',
    actions: ['restart-component', 'wait', 'change-mode'],
    advice: 'Check whether it can reach the store, and what it does without it.',
  },
  'replica-slow': {
    meaning: 'a replica answers far later than the others',
    actions: ['restart-component', 'wait'],
    advice: 'Check whether it has as much processor time and memory as the others.',
  },
  'limit-not-enforced': {
    meaning: 'a replica allows more than the limit by its own count',
    actions: ['restart-component', 'change-mode', 'change-limit'],
    advice:
      'Check its configuration and version first: does it know the limit, and does it compare its own count with it?',
  },
  'uncoordinated-admission': {
    meaning: 'replicas together allow more than the limit, since each decides before it knows of the others',
    actions: ['change-mode', 'change-limit'],
    advice:
      'Decide each request in one atomic step in the store, or give each replica a fixed share of the limit. To exchange counts more often only narrows the gap.',
  },
  unknown: {
    meaning: 'something is wrong, and the evidence does not tell what',
    actions: ['wait'],
    advice: 'Observe for longer, or under more load, before you conclude anything.',
  },
} as const satisfies Record<
  string,
  { meaning: string; actions: readonly [Action, ...Action[]]; advice: string }
>;

export type AnomalyClass = keyof typeof CLASSES;
export const anomalyClasses = Object.keys(CLASSES) as [AnomalyClass, ...AnomalyClass[]];

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
