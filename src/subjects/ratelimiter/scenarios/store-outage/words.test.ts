/** Every sentence about a store outage, but for its price. Its reasons and figures are asserted next to what finds them. */
import { expect, it } from 'vitest';
import { type Figures, sentencesOf } from '../../../../../test/fixtures/subjects/sentences.ts';
import type { CodeOf } from '../../../checkers/checker.ts';
import type { price } from '../../../checkers/price.ts';
import { rulesOf } from '../../spec/schema.ts';
import { type OutageCode, outageWords } from './words.ts';

const counts = { Admitted: 3, Rejected: 1, Error: 2, Timeout: 4 };
const over = { admitted: 31, bound: 20, promised: 10, from: 0, to: 8200 };
const rules = rulesOf({ limit: { requests: 10, window: '60s' } }).slice(0, 2);
const returns = [
  { begunFrom: 0, by: 12_000 },
  { begunFrom: 500, by: 12_600 },
];
const near = { behaviour: 'Hangs', other: 'Mixed', count: 46, of: 50, from: 0.82, to: 0.97 };
const pods = ['api-0', 'api-1'];
const latency = { p50Ms: 12.3, maxMs: 200, answers: 9 };
const phases = [
  { phase: 'Before', requests: 9, latency },
  { phase: 'During', requests: 12, latency },
  { phase: 'After', requests: 0 },
];

const FIGURES: Readonly<Record<Exclude<OutageCode, CodeOf<typeof price>>['code'], Figures>> = {
  AdmittedLate: { requests: 3 },
  AdmittedOver: [
    { over, isAccepted: false, forgot: false, usedBefore: 5 },
    { over, isAccepted: false, forgot: true, isReturned: true },
  ],
  AfterFault: [
    { within: counts, over: counts, more: 2, isOneCaller: false },
    { within: counts, over: counts, more: 0, isOneCaller: true },
  ],
  Behaviour: { behaviour: 'Hangs' },
  ControlsUnanswered: { pods: [{ pod: 'api-0', unanswered: 3, of: 10 }] },
  CountsBy: [
    { rules, returns },
    { rules, returns: [], isMeasured: true },
    { rules, returns: [], isMeasured: false },
  ],
  CrossingNotRejected: {},
  DrawnFrom: { seed: 7 },
  EndedEarly: { ms: 900 },
  EndUnseen: {},
  EventsDropped: { events: 2 },
  FailedBefore: { pod: 'api-0', admitted: 3, of: 5 },
  FailedToTheEnd: {},
  FaultDoubtful: { ms: 800 },
  FaultUnproven: {},
  Latency: { phases },
  LeftOut: { requests: 2 },
  LockOut: { why: 'a caller that keeps asking stays rejected' },
  LockedOut: {},
  NearBorder: near,
  NearBorderOfAccepted: near,
  NoControls: [{ oneLimit: false }, { oneLimit: true }],
  NoPodLeft: {},
  NoRecovery: { settleMs: 5000 },
  NotAdmitted: [
    { within: counts, withinMs: 1000, serverErrors: 1 },
    { within: { ...counts, Rejected: 0, Error: 0 }, withinMs: 1000, serverErrors: 0 },
    { within: { ...counts, Timeout: 0, Error: 0 }, withinMs: 1000, serverErrors: 0 },
  ],
  NotAdmittedOver: [
    { unknown: 1, isOneCaller: false },
    { unknown: 0, isOneCaller: true },
  ],
  NotRecovered: [
    { afterMs: 7000, lapses: [['api-0', 'fails']], restarted: new Set(['api-0']), settleMs: 5000 },
    { lapses: ['admits', 'gone', 'rejects', 'errs'].map((lapse) => ['api-1', lapse]), watchedMs: 6000 },
  ].map((figures) => ({ restarted: new Set(), settleMs: 5000, ...figures })),
  NotRejectedAgain: {},
  NotRejectedBefore: { pods, sent: 12, most: 20 },
  NotReturned: { callers: 4, lockedOut: 1, got: counts, waitedMs: 61_000 },
  NotSentBefore: { pod: 'api-0' },
  OtherLimit: [
    { rules, returns },
    { rules, returns: [{ begunFrom: 0, by: Infinity }], isStated: true },
  ],
  OutcomesUnknown: { requests: 2 },
  OverCounted: { requests: 6, callers: 2, of: 5 },
  OverLimit: { over },
  OverLimitBefore: { over },
  OverUnanswered: { requests: 2 },
  PodBehaviour: { behaviour: 'Hangs', beyond: counts, pod: 'api-0', within: counts },
  PodsGone: { pods },
  PodsLeftOut: { pods },
  PodsRestarted: { pods },
  Reached: [{ isReached: true }, { isReached: false }],
  RecoveredLate: { afterMs: 4900 },
  Returned: [
    { callers: 4, whole: 2, most: 10 },
    { callers: 4, whole: 0, most: 3 },
  ],
  ReturnNotChecked: { why: 'no caller was owed a request again' },
  ReturnUnclear: { callers: 4, unclear: 1 },
  SoFar: [
    { within: { ...counts, Admitted: 7, Rejected: 0, Error: 0, Timeout: 0 }, withinMs: 1000, over },
    { within: { ...counts, Rejected: 0, Error: 0 }, withinMs: 1000 },
  ],
  Statuses: { statuses: [{ status: 500, requests: 126, p50Ms: 280 }] },
  StoreDoubt: { why: 'the limiter may count elsewhere' },
  Tested: {
    sent: ['New', 'Part', 'All', 'Back', 'Later', 'Whole'].map((of, i) => ({ of, callers: 9 * i })),
  },
  TooFewOverLimit: { have: 3 },
  TooFewRequests: { have: 3, need: 10, pod: 'api-0', side: 'under' },
  Undecided: [
    { asked: true, rules, suspect: over },
    { asked: false, rules: rules.slice(0, 1), suspect: over },
  ],
  Untimed: { of: 50, pod: 'api-0', untimed: 7 },
};

it('every sentence about a store outage', () => {
  expect(sentencesOf(outageWords, FIGURES)).toMatchSnapshot();
});
