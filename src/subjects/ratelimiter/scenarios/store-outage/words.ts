/** The findings about a store outage in words, with the fields of the spec to change. */

import { listed } from '@chaosdemo/redis-faults/text';
import { counted, formatDuration, span } from '../../../../api/index.ts';
import { CONFIDENCE, excludedAbove } from '../../../../engine/power.ts';
import { applying, type Code, type CodeOf } from '../../../checkers/checker.ts';
import { sizeOf, totalOf } from '../../../checkers/requests.ts';
import { SHARE } from '../../../checkers/share-interval.ts';
import { COMMON, countsText, wording } from '../../../scenarios/words.ts';
import type { soFarIn } from '../../checkers/behaviour.ts';
import type { OUTAGE_CHECKERS } from '../../checkers/outage.ts';
import type { Lapse } from '../../checkers/recovery.ts';
import { type Return, rulesText } from '../../limits/counting.ts';
import type { OverAdmission } from '../../limits/over-admission.ts';

export type OutageCode = CodeOf<(typeof OUTAGE_CHECKERS)[number]> | NonNullable<ReturnType<typeof soFarIn>>;

const MORE_TRAFFIC = 'Lengthen storeOutage.fault.duration or raise storeOutage.requestsPerSecond';
const LONGER = 'Lengthen storeOutage.settle';

const LAPSES: Readonly<Record<Lapse, string>> = {
  admits: 'admitted callers over their limits',
  fails: 'rejected or failed callers within their limits',
  gone: 'accepted no connection: see whether its process has ended',
  rejects: 'rejected a caller within its limit',
  errs: 'had an error or no response for callers over their limits',
};

const TESTED = {
  New: 'Over-admission if new in the fault',
  Part: 'Part used before',
  All: 'All used',
  Back: 'Back after silence',
  Later: 'Lock-out later',
  Whole: 'Smaller limit later',
} as const;

export const outageWords: (found: Code) => string = wording<OutageCode>({
  ...COMMON,
  EventsDropped: ({ events }) => `${counted(events, 'request')} were more than are kept`,
  // Over-admission.
  OverLimit: ({ over }) => overText(over),
  OutcomesUnknown: ({ requests }) =>
    `${counted(requests, 'request')} of callers over their limit had no response while the operator waited for it, and may have been admitted. ${LONGER}, or select fewer pods`,
  OverLimitBefore: ({ over }) => `Before the fault: ${admittedText(over)}`,
  AdmittedOver({ forgot, isAccepted, isReturned, over, usedBefore }) {
    return applying([
      `Over the limit${isReturned ? ', after it had returned' : ''}: ${admittedText(over)}`,
      usedBefore !== undefined && `The caller had used ${usedBefore} of its limit before the fault`,
      forgot && 'Redis had lost its count, and that is no more than the limit once more',
      !isAccepted && `It is not accepted, since accept does not name ${forgot ? 'Forgets' : 'FailsOpen'}`,
    ]).join('. ');
  },
  NotAdmittedOver: ({ isOneCaller, unknown }) =>
    `Over the limit: no more admitted than it allows${unknown > 0 ? ', as far as is known' : isOneCaller ? ', of the one caller' : ''}`,
  Undecided: ({ asked, rules, suspect }) =>
    `one caller was ${admittedText({ ...suspect, bound: 0 })}. A limiter may do so that counts in ${rulesText(rules)}. ${asked ? 'Callers that got their limits back did not decide it' : 'No new caller sent requests until its limit returned'}: set rateLimiter.limit.algorithm and windowStart, or give the rate limiter a shorter window for the test`,
  CountsBy({ isMeasured, returns, rules }) {
    const [{ requests, windowMs } = { requests: 0, windowMs: 0 }] = rules;
    const limit = `It counts ${requests} in ${formatDuration(windowMs)}`;
    if (returns.length > 0) return `${limit}, in ${rulesText(rules)}. ${waitedText(returns)}`;
    return isMeasured
      ? `${limit}. How was not measured, since no result depends on it`
      : `${limit}, in ${rulesText(rules)}, as stated`;
  },
  OtherLimit: ({ isStated, returns, rules }) =>
    `rateLimiter.limit is not the limit of this rate limiter. It states ${rules[0]?.requests} in ${formatDuration(rules[0]?.windowMs ?? 0)}${isStated ? `, in ${rulesText(rules)}` : ''}. ${waitedText(returns)}. Correct it, or leave algorithm and windowStart out`,
  Tested({ sent }) {
    const shares = sent.map(({ callers, of }) =>
      callers === 0
        ? `${TESTED[of]}: not tested`
        : `${TESTED[of]}: above ${excludedAbove(callers)} % (${callers})`,
    );
    return `Excluded at ${CONFIDENCE} % confidence. ${shares.join('. ')}`;
  },
  DrawnFrom: ({ seed }) => `Callers were drawn from seed ${seed}: set storeOutage.seed to it to repeat them`,
  AdmittedLate: ({ requests }) => `Admitted after the caller had given up: ${counted(requests, 'request')}`,
  OverUnanswered: ({ requests }) =>
    `${counted(requests, 'request')} over the limit had no response while the operator waited for it`,

  // What callers got in the fault.
  Behaviour: ({ behaviour }) => behaviour,
  NotAdmitted: notAdmittedText,
  SoFar: ({ over, ...got }) => notAdmittedText(got) + (over ? `. Over the limit: ${admittedText(over)}` : ''),
  NotRejectedAgain: () =>
    `no caller that was admitted over its limit was rejected again, so whether it gets more than its limit once more is not shown. ${MORE_TRAFFIC}`,
  NotSentBefore: ({ pod }) => `${pod} got no request within a limit before the fault`,
  FailedBefore: ({ admitted, of, pod }) =>
    `before the fault ${pod} admitted ${admitted} of ${of} requests within a limit`,
  NotRejectedBefore: ({ most, pods, sent }) =>
    `before the fault ${listed(pods)} rejected no request of a caller that had used its limit of ${most} up, of ${sent} that were sent`,
  TooFewRequests: ({ have, need, pod, side }) =>
    `${pod} got ${have} requests ${side} a limit during the fault, ${need} are needed`,
  Untimed: ({ of, pod, untimed }) =>
    `the operator stood still, so ${untimed} of ${of} responses of ${pod} could not be timed: free processor time for it`,
  NearBorder: nearText,
  NearBorderOfAccepted: (near) => `${nearText(near)}. ${MORE_TRAFFIC}`,
  ControlsUnanswered({ pods }) {
    const slow = pods.map(({ of, pod, unanswered }) => `${pod} (${unanswered} of ${of})`);
    return `Requests that need no limiter got no response in time either at ${listed(slow)}. The pods may be slow, or the path needs Redis. Give the pods more CPU, or set health.path to one that needs no limiter`;
  },
  NoControls: ({ oneLimit }) =>
    `No requests without the limiter were sent during the fault, so slow pods would look the same${oneLimit ? '' : '. Set health.path to a path that needs no limiter'}`,
  CrossingNotRejected: () =>
    `no caller that reached its limit in the fault was rejected by every pod, so it is not shown that the limit holds. ${MORE_TRAFFIC}`,
  Statuses({ statuses }) {
    const each = statuses.map(
      ({ p50Ms, requests, status }) =>
        `HTTP ${status} x ${requests} (median after ${(p50Ms / 1000).toFixed(2)} s)`,
    );
    return `Callers within their limits that were not admitted got ${each.join(', ')}`;
  },
  Reached: ({ isReached }) =>
    isReached
      ? 'Every pod rejected callers in the fault that had reached their limits only there'
      : 'No caller that reached its limit in the fault was rejected by every pod: what such a caller gets is not shown',
  PodBehaviour: ({ behaviour, beyond, pod, within }) =>
    `${pod} ${behaviour}, in time during the fault. Requests within a limit: ${countsText(within)}. Others: ${countsText(beyond)}`,
  Latency({ phases }) {
    const times = { Before: 'Before the fault', During: 'During it', After: 'After it' };
    const each = phases.map(({ latency, phase, requests }) => {
      if (!latency)
        return `${times[phase]}, no request ${requests > 0 ? 'got a response in time' : 'was sent'}`;
      const { answers, maxMs, p50Ms } = latency;
      const came = answers < requests ? `; ${answers} of ${requests} came in time` : '';
      return `${times[phase]}, responses took ${p50Ms.toFixed(1)} ms (slowest ${Math.round(maxMs)} ms${came})`;
    });
    return each.join('. ');
  },

  // What callers got after it.
  NoRecovery: ({ settleMs }) => `no recovery in ${formatDuration(settleMs)}`,
  RecoveredLate: ({ afterMs }) =>
    `callers recovered ${span(afterMs)} after the fault, too close to the end of settle. ${LONGER}`,
  FailedToTheEnd: () =>
    `a few requests failed or were admitted over the limit until the end of the watch, so recovery is not shown. ${LONGER}`,
  TooFewOverLimit: ({ have }) =>
    `after the fault no pod rejected any of ${counted(have, 'request')} of callers over their limits, too few to show whether the limit is enforced again. ${LONGER}, or raise storeOutage.requestsPerSecond`,
  AfterFault({ isOneCaller, more, over, within }) {
    const tooMuch = more > 0 ? `, ${more} more than the limit allows` : '';
    return isOneCaller
      ? `After the fault the same caller got ${countsText(totalOf([within, over]))}${tooMuch}`
      : `After the fault, requests within a limit got ${countsText(within)}. Others got ${countsText(over)}${tooMuch}`;
  },
  NotRecovered({ afterMs, lapses, restarted, settleMs, watchedMs }) {
    const named = (pod: string): string => (restarted.has(pod) ? `${pod} (restarted during the fault)` : pod);
    const which = [...Map.groupBy(lapses, ([, lapse]) => lapse)].map(
      ([lapse, of]) => `${listed(of.map(([pod]) => named(pod)))} still ${LAPSES[lapse]}`,
    );
    const then =
      afterMs === undefined
        ? `None was seen in the ${span(watchedMs)} in which requests were sent`
        : afterMs <= settleMs
          ? `Other requests were treated as before after ${span(afterMs)}`
          : `It took ${span(afterMs)}`;
    return `No recovery within ${formatDuration(settleMs)}: ${[...which, then].join('. ')}`;
  },
  LockOut: ({ why }) => `Also without a fault, ${why}`,
  LockedOut: () => 'limit not returned',
  Returned: ({ callers, most, whole }) =>
    `The limit was returned: ${counted(callers, 'caller')} that had waited for it ${callers === 1 ? 'was' : 'were'} admitted again, ${whole} of them up to the whole limit. At most ${counted(most, 'request')} of each had to be admitted`,
  NotReturned: ({ callers, got, lockedOut, waitedMs }) =>
    `The limit was not returned: ${lockedOut} of ${counted(callers, 'caller')} that had waited for it ${lockedOut === 1 ? 'was' : 'were'} still rejected ${Math.round(waitedMs / 1000)} s later. Of ${counted(sizeOf(got), 'request')} that had to be admitted, ${got.Admitted} ${got.Admitted === 1 ? 'was' : 'were'}. Keys do not expire, limit.window is too short, or the limiter bans callers or lowers limits`,
  ReturnUnclear: ({ callers, unclear }) =>
    `Whether the limit is returned is not clear: requests of ${unclear} of ${counted(callers, 'caller')} that had waited for it had an error or no response`,
  OverCounted: ({ callers, of, requests }) =>
    `Counted, and not admitted: at least ${counted(requests, 'request')} of ${callers} of ${counted(of, 'caller')}`,
  ReturnNotChecked: ({ why }) => `Whether the limit is returned was not checked: ${why}`,
});

/** When callers got their limits back, after their first requests. */
function waitedText(returns: readonly Return[]): string {
  const waits = returns
    .flatMap(({ begunFrom, by }) => (by === Infinity ? [] : [by - begunFrom]))
    .sort((a, b) => a - b);
  const of = counted(returns.length, 'new caller');
  const [least = 0] = waits;
  if (waits.length === 0) return `While they sent requests, 0 of ${of} were admitted again`;
  return `${waits.length} of ${of} were admitted again ${(least / 1000).toFixed(1)} to ${((waits.at(-1) ?? least) / 1000).toFixed(1)} s after their first requests`;
}

/** "25 of 10 in 1.2 s": by what the caller was promised. */
function overText({ admitted, from, promised, to }: OverAdmission): string {
  return `${admitted} of ${promised} in ${span(to - from)}`;
}

function admittedText(over: OverAdmission): string {
  const { bound, promised } = over;
  return `admitted ${overText(over)}${bound > promised ? `, at most ${bound} if windows end in that time` : ''}`;
}

type Got = Omit<Extract<OutageCode, { readonly code: 'NotAdmitted' }>, 'code' | 'serverErrors'>;

function notAdmittedText({ serverErrors = 0, within, withinMs }: Got & { serverErrors?: number }): string {
  const of = sizeOf(within);
  const failed = of - within.Admitted;
  if (failed === 0) return `${of} of ${of} requests under the limit were admitted`;
  const each = [
    [within.Timeout, `got no response within ${formatDuration(withinMs)}`],
    [within.Rejected, 'were rejected', 'got a rejection'],
    [Math.min(serverErrors, within.Error), 'got a server error (HTTP 5xx)'],
    [within.Error - serverErrors, 'failed'],
  ] as const;
  const some = each.filter(([requests]) => requests > 0);
  const [[, only] = []] = some;
  const mixed = some.map(([requests, alone, how = alone]) => `${requests} ${how}`).join(', ');
  return `${failed} of ${of} requests under the limit ${some.length === 1 ? only : `were not admitted. ${mixed}`}`;
}

type Near = Omit<Extract<OutageCode, { readonly code: 'NearBorder' }>, 'code'>;

function nearText({ behaviour, count, from, of, other, to }: Near): string {
  const percent = (share: number): string => (100 * share).toFixed(0);
  return `${behaviour} or ${other}: ${count} of ${of} requests had the same outcome, near the border of ${percent(SHARE)} % (${percent(from)} to ${percent(to)} % at 95 % confidence)`;
}
