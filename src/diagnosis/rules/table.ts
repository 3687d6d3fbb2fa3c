/** The rules: which sign shows which class, where, and the steps of the answer. The order is the priority. Pure. */
import { span, truncate, withUnit } from '../../api/index.ts';
import { DIAGNOSIS_LIMITS } from '../../evidence/index.ts';
import { type AnomalyClass, type Claim, NO_COMPONENT } from '../answer.ts';
import { missingCounts, overLimit, overTogether } from './count-signs.ts';
import { type Interval, largest, type Measurements, quantile, type Sample } from './measurements.ts';
import { allFailing, failing, slow } from './replica-signs.ts';
import {
  churn,
  grantedAgain,
  lostCounts,
  silence,
  slowConnections,
  slowStore,
  stall,
  unusedStore,
} from './store-signs.ts';

/** A step, with its evidence. It is omitted if there is none. */
type Step = readonly [text: string, evidence: readonly ({ readonly id: string } | undefined)[]];

/** The conclusion of a rule. */
export interface Finding {
  readonly anomaly: AnomalyClass;
  readonly component: string;
  /** When its first sign appeared. */
  readonly from: number;
  /** Default: it lasts to the end. */
  readonly to?: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** From the cause to the observations; the first names the cause on its own. */
  readonly chain: readonly Claim[];
}

/** @param storeFailsFrom since when the store is failing, by the rules before this one; infinite if it is not */
type Rule = (measurements: Measurements, storeFailsFrom: number) => readonly Finding[];

/** A rule: each sign found is a finding, with the steps that it shows. */
function rule<T extends Omit<Finding, 'anomaly' | 'chain'> & { readonly anomaly?: AnomalyClass }>(
  anomaly: AnomalyClass,
  signs: (measurements: Measurements, storeFailsFrom: number) => readonly T[],
  steps: (sign: T) => readonly Step[],
): Rule {
  return (measurements, storeFailsFrom) =>
    signs(measurements, storeFailsFrom).map((sign) => ({ anomaly, ...sign, chain: chainOf(steps(sign)) }));
}

/** A rule for the store. */
function ofStore<T extends Pick<Finding, 'from' | 'to'> & { readonly confidence?: number }>(
  anomaly: AnomalyClass,
  signOf: (measurements: Measurements) => T | undefined,
  steps: (sign: T, store: string) => readonly Step[],
): Rule {
  const signs = (measurements: Measurements) => {
    const sign = signOf(measurements);
    return sign ? [{ confidence: 0.9, ...sign, component: measurements.store }] : [];
  };
  return rule(anomaly, signs, (sign) => steps(sign, sign.component));
}

/** Used only if no rule before it reports the store. */
function lastResort(other: Rule): Rule {
  return (measurements, storeFailsFrom) =>
    storeFailsFrom < Infinity ? [] : other(measurements, storeFailsFrom);
}

export const RULES: readonly Rule[] = [
  ofStore('store-restarted', lostCounts, ({ after, before, quiet, samples }, store) => [
    [`${store} lost counts: ${before.value} were counted, and then it held ${after.value}.`, samples],
    [`It gave no answer for ${quiet && lengthOf(quiet)}, and then answered.`, quiet?.samples ?? []],
  ]),
  ofStore('store-unreachable', silence, (quiet, store) => [
    [`${store} gave no answer of any kind for ${lengthOf(quiet)}: neither reads nor writes.`, quiet.samples],
  ]),
  ofStore('store-connections-broken', churn, (churned, store) => [
    [
      `${churned.ended} connections to ${store} ${churned.isCounted ? 'ended' : 'were made, and so others ended,'} within ${lengthOf(churned)} (usually ${churned.usual.toFixed(1)} a second).`,
      churned.samples,
    ],
    ['Replicas did not give them up: they answered at once, or nothing was late yet.', churned.notGivenUp],
  ]),
  ofStore('store-slow', slowStore, (reads, store) => [
    [
      `Reads of ${store} took ${median(reads)} (median) for ${lengthOf(reads)}${usually(reads)}.`,
      reads.samples,
    ],
    [`Its writes took up to ${span(reads.write.value)}: all that it answers comes late.`, [reads.write]],
  ]),
  ofStore('store-writes-stalled', stall, (writes, store) => [
    [`Writes to ${store} stalled: they waited ${span(writes.took)}${usually(writes)}.`, writes.samples],
    servedStep(store, writes.reads, 'only its writes stalled'),
  ]),
  lastResort(
    ofStore('store-connections-broken', unusedStore, (gap, store) => [
      [
        `From one moment on, every replica ${gap.fails ? 'failed requests' : 'admitted callers that it had rejected before'} (${withUnit(gap.all, 'requests')} in all) and rejected none for ${lengthOf(gap)}. What they share had failed.`,
        gap.shown,
      ],
      servedStep(store, gap.served, 'the connections of the replicas to it had failed'),
      ['Before that, every replica rejected requests.', gap.samples],
    ]),
  ),
  lastResort(
    ofStore('store-slow', slowConnections, (answers, store) => [
      [
        `From one moment on, every replica took ${span(answers.least)} to ${span(answers.most)} for an answer (median) for ${lengthOf(answers)}. What they share had become slow.`,
        answers.samples,
      ],
      servedStep(store, answers.served, 'the way from the replicas to it had become slow'),
    ]),
  ),
  lastResort(
    ofStore('store-restarted', grantedAgain, (again, store) => [
      [
        `All replicas together admitted ${withUnit(again.limit, 'requests')} of a caller, none for ${span(again.pause)}, and then exactly as many again. The count that they share started again from 0.`,
        again.samples,
      ],
      servedStep(store, again.served, 'it was there, without that count'),
    ]),
  ),
  rule('limit-not-enforced', overLimit, ({ component, limit, most, others }) => [
    [
      `${component} admitted more than the ${limit.value} that all replicas together may: ${most.value}.`,
      [limit, most],
    ],
    [`The others did not: ${component} does not hold its own count against the limit.`, others],
  ]),
  rule('uncoordinated-admission', overTogether, ({ count, evidence, held, isHeldBefore, most, over }) => [
    [
      `${withUnit(count, 'requests')} were admitted, and all replicas together may admit ${most}: each was decided before others were counted.`,
      evidence,
    ],
    [
      `${over.map(({ component, most: { value } }) => `${component} (${value})`).join(', ')} exceeded it without the others: the count is not read and raised in one step.`,
      over.map((one) => one.most),
    ],
    [
      `The store was seen with the count of the limit ${isHeldBefore ? 'before more was admitted: the replicas did not use it' : 'only after more was admitted'}.`,
      [held],
    ],
  ]),
  rule(
    'replica-unreachable',
    failing,
    ({ component, errors, good, others, samples, silentMs, unanswered }) => [
      [
        `${component} left ${withUnit(unanswered, 'requests')} without an answer, failed ${errors} and answered ${good}${silentMs > 0 ? `, and was silent for ${span(silentMs)}` : ''}.`,
        samples,
      ],
      [`The others answered: only ${component} is affected.`, others],
    ],
  ),
  lastResort(
    rule('unknown', allFailing, ({ samples }) => [
      ['Every replica failed requests, and nothing was seen of the store that explains it.', samples],
    ]),
  ),
  lastResort(
    rule('replica-cut-off', missingCounts, ({ component, count, deficit, served, stored }) => [
      [
        `${component} has admitted ${count.value}, and ${deficit} of all counts did not reach the store, which held ${stored.value}.`,
        [count, stored],
      ],
      ['The store served others, and holds the counts of the other replicas.', served],
    ]),
  ),
  rule('replica-slow', slow, ({ component, others, samples, usual }) => [
    [`${component} took ${median({ samples })} (median) to answer.`, samples],
    [`The others took ${span(usual)}: only ${component} is affected.`, others],
  ]),
];

/** The answer if no rule found anything. */
export function nothingFound(measurements: Measurements): Finding {
  const { invariant, limit, store } = measurements;
  const served = measurements.all(['read-latency', 'write-latency'], [store]);
  const admitted = measurements.total('requests-admitted');
  const [anomaly, verb, confidence] = invariant?.broken
    ? (['unknown', 'was broken, and no component shows why', 0.3] as const)
    : (['none', 'held', 0.9] as const);
  const chain = chainOf([
    [`The invariant ${verb}: ${invariant?.formula}.`, invariant?.values ?? []],
    [`The store answered ${within(served)}.`, served],
    [
      `The replicas admitted ${withUnit(admitted.value, 'requests')}${limit ? `, and may admit ${limit.value}` : ''}.`,
      [...admitted.samples, limit],
    ],
  ]);
  return { anomaly, component: NO_COMPONENT, from: 0, confidence, chain };
}

/** Steps with evidence, cut to their bounds. */
function chainOf(steps: readonly Step[]): Claim[] {
  return steps.flatMap(([text, evidence]) => {
    const ids = [...new Set(evidence.flatMap((one) => one?.id ?? []))].slice(0, DIAGNOSIS_LIMITS.cites);
    return ids.length === 0 ? [] : [{ text: truncate(text, DIAGNOSIS_LIMITS.stepText), evidence: ids }];
  });
}

function servedStep(store: string, served: readonly Sample[], therefore: string): Step {
  return [`${store} answered others ${within(served)} in that time: ${therefore}.`, served];
}

function within(samples: readonly Sample[]): string {
  return `within ${span(largest(samples)?.value ?? 0)}`;
}

function median({ samples }: Pick<Interval, 'samples'>): string {
  return span(quantile(samples, 0.5));
}

function lengthOf({ from, to }: Pick<Interval, 'from' | 'to'>): string {
  return span(to - from);
}

function usually({ usual }: { readonly usual: number }): string {
  return usual > 0 ? ` (usually ${span(usual)})` : '';
}
