/** The findings about counter drift in words, with the fields of the spec to change. */
import { counted } from '../../../../api/index.ts';
import type { Code, CodeOf } from '../../../checkers/checker.ts';
import type { FaultTimes } from '../../../history/recorded.ts';
import { atLeast, COMMON, perPod, sinceStart, wording } from '../../../scenarios/words.ts';
import { activeUntil, type DRIFT_CHECKERS } from '../../checkers/drift.ts';

export const driftWords: (found: Code) => string = wording<CodeOf<(typeof DRIFT_CHECKERS)[number]>>({
  ...COMMON,
  FaultDoubtful: ({ ms }) => `no probe saw the fault after ${Math.round(ms)} ms before its planned end`,

  Drift: ({ bound, drift, ...found }) => `${atLeast(found)}${drift} ${drift > bound ? '>' : '<='} ${bound}`,
  LagUnknown: () => 'the lag without a fault was not measured in this session',
  NotOfFault: ({ at, drift, ...times }) =>
    `the counters were ${drift} apart ${whenOutside(at, times)}, which is not of the fault`,
  Unconfirmed: () => 'a single sample was above the bound and the next was not',
  Widest({ admitted, drift, readAt, startedAt, stored }) {
    const at = sinceStart(readAt, startedAt);
    return `Widest sample${at && ` (${at})`}: ${Math.max(0, drift)} apart, admitted ${perPod(new Map(Object.entries(admitted)))}; counted by Redis ${stored}`;
  },
  Bound: ({ lag, tolerance }) =>
    `Bound of the drift: tolerance ${tolerance} + lag without a fault ${lag ?? 'not measured'}`,

  Admitted: ({ admitted, limit, ...found }) => `${atLeast(found)}${admitted}/${limit}`,
  TooFewChecks: ({ have, need, pod }) =>
    `${pod} responded to ${counted(have, 'check')} within the fault, ${need} are needed`,
  NothingAdmitted: () =>
    'no request was admitted during the fault, so no count could drift: the rate limiter failed closed, or hung. Use StoreOutage to judge the outcome',
  AdmittedInFault: ({ admitted, byPod, limit }) =>
    `Admitted ${admitted} of limit ${limit} while the fault was active: ${perPod(byPod)}`,
  Traffic: ({ admitted, answered, others, requests, timeouts }) =>
    `Steady traffic: ${counted(requests, 'check')}, ${admitted} admitted, ${timeouts} timeouts${others > 0 ? `, ${others} open or without a proper response` : ''}. Responses by pod: ${perPod(answered)}`,
  Outcomes({ admitted, errors, limit, rejected, requests }) {
    // A limiter that keeps its limit by rejecting callers under it keeps it at a price.
    const spare =
      rejected + errors > 0 && admitted < limit
        ? `, though the limit had room for ${limit - admitted} more`
        : '';
    return `Outcome for callers: ${admitted} of ${requests} admitted, ${rejected} rejected${errors > 0 ? `, ${errors} errors` : ''}${spare}`;
  },

  TooFewSamples: ({ isEndKnown, samples }) =>
    `only ${counted(samples, 'complete counter sample')} ${isEndKnown ? 'within the fault' : 'since the fault began'}`,
  SampleGap: ({ gapMs, problem }) =>
    `no complete counter sample for ${Math.round(gapMs)} ms${problem === undefined ? '' : ` (${problem})`}`,
  CountsDiffer: ({ recorded, sampled }) =>
    `the last sample has ${counted(sampled, 'admission')}, and the history has ${recorded}`,
  WindowLeft: () => 'the window of the key ended during the watch',
  Samples: ({ gapMs, incomplete, samples }) =>
    `${counted(samples, 'sample')} of what the sender and Redis counted since the fault began${incomplete === 0 ? '' : `, ${incomplete} incomplete`}; longest gap ${Math.round(gapMs)} ms`,
  OpenRequests: ({ requests }) => `${counted(requests, 'request')} without a proper response could tip it`,
  NoControl: () => 'no control was made without a fault in this session',
  Control: ({ admitted, limit, sent }) =>
    `Without a fault, ${admitted} of ${counted(sent, 'request')} spread over time were admitted, with a limit of ${limit}`,
});

/** "86 ms after the end of the fault": a moment at which the fault was not known to be active. */
function whenOutside(at: number, times: FaultTimes): string {
  const { startedAt } = times;
  if (startedAt === undefined) return 'before the fault was seen to begin';
  if (at < startedAt) return `${Math.round(startedAt - at)} ms before the fault`;
  return `${Math.max(0, Math.round(at - activeUntil(times)))} ms after the end of the fault`;
}
