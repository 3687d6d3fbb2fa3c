/**
 * The answer of a provider: a diagnosis by a closed schema, each claim with the evidence it rests on. Answers are
 * untrusted, from any provider: they are bounded and checked against the bundle.
 */
import { z } from 'zod';
import { DIAGNOSIS_LIMITS, type EvidenceBundle, evidenceIds } from '../evidence/index.ts';

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
    meaning: 'a replica allows more than the limit by its own count, and the others do not',
    actions: ['restart-component', 'change-mode', 'change-limit'],
    advice:
      'Check its configuration and version first: does it know the limit, and does it compare its own count with it?',
  },
  'uncoordinated-admission': {
    meaning:
      'replicas together allow more than the limit, since requests are decided before others are counted: the count is read and raised in two steps, or each replica has its own',
    actions: ['change-mode', 'change-limit'],
    advice:
      'On all replicas, count before the work, and decide by the result of that one step: an INCR, or a Lua script. Or give each replica a fixed share of the limit. To exchange counts more often only narrows the gap.',
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

/** The component if nothing is wrong, or its location is unknown. */
export const NO_COMPONENT = 'none';
/** All replicas together, if the cause lies in their interaction. */
export const ALL_REPLICAS = 'replicas';

/** Servers accept no longer enumerations; a model that reads a larger bundle is not held to its ids. */
const MAX_IDS = 250;

/**
 * The schema of an answer to this bundle: everything that it cites and names is there. Models are held to it, and as
 * servers may ignore that, every answer is checked by it.
 */
export function answerTo(bundle: EvidenceBundle) {
  const { alternatives, chain, cites, stepText } = DIAGNOSIS_LIMITS;
  const anomaly = z.enum(anomalyClasses);
  const names = [NO_COMPONENT, ALL_REPLICAS, ...bundle.components.map(({ name }) => name)];
  const component = oneOf(new Set(names), 'component').describe('Where the cause lies.');
  const claim = z.strictObject({
    text: z
      .string()
      .min(1)
      .max(stepText)
      .refine((text) => /[\p{L}\p{N}]/u.test(text), 'it says nothing')
      .describe('One step, from cause to effect.'),
    evidence: z
      .array(oneOf(evidenceIds(bundle), 'evidence'))
      .min(1)
      .max(cites)
      .describe('What shows it.'),
  });
  return z
    .strictObject({
      anomaly: anomaly.describe('What is wrong.'),
      component,
      chain: z.array(claim).min(1).max(chain),
      action: z.enum(actions).describe('What to do about it.'),
      confidence: z.number().min(0).max(1).describe('How sure the answer is.'),
      alternatives: z
        .array(z.strictObject({ anomaly, component }).refine(isLocated, NOT_LOCATED))
        .max(alternatives),
    })
    .refine(isLocated, NOT_LOCATED);
}

const NOT_LOCATED = 'class "none" has component "none", and no other class has it but "unknown"';

function isLocated({ anomaly, component }: { anomaly: AnomalyClass; component: string }): boolean {
  return anomaly === 'unknown' || (anomaly === 'none') === (component === NO_COMPONENT);
}

/** One of these names of a bundle; `what` they name. */
function oneOf(names: ReadonlySet<string>, what: string) {
  return z
    .string()
    .refine((name) => names.has(name), { error: ({ input }) => `there is no ${what} "${String(input)}"` })
    .meta(names.size <= MAX_IDS ? { enum: [...names] } : {});
}

export type DiagnosisAnswer = z.infer<ReturnType<typeof answerTo>>;
export type Claim = DiagnosisAnswer['chain'][number];
