/** Over-admission: no caller is admitted over its limit, unless that is accepted. Pure. */
import { code, NOTHING } from '../../checkers/checker.ts';
import type { CallerRequest } from '../../history/events.ts';
import type { Behaviour } from './behaviour.ts';
import { countingIn, limitedCallers, type OutageSeen, type OutageView, viewOf } from './outage-seen.ts';
import { limitReturnIn } from './recovery.ts';

/** At most so many rules fit what a spec states of how the limiter counts. */
export const STATED = 2;

export const overAdmission = {
  name: 'overAdmission',
  finding(seen: OutageSeen) {
    const view = viewOf(seen);
    if (!view || view.isOngoing) return NOTHING;
    const { before, onceMore, over, suspect, unknown, usedBefore } = view.over;
    const { open, returns, rules } = countingIn(seen);
    const isRefuted = rules.length === 0;
    const { fixture, plan } = view.settings;
    const { isOneCaller, parameters } = plan;
    const forgot = onceMore?.isMost === true;
    // An unseen fault may have lost counts, too.
    const isMost = onceMore ? onceMore.isMost : !view.isSeen;
    const accepts = (word: Behaviour): boolean => parameters.accept.includes(word);
    const isAccepted = accepts('FailsOpen') || (accepts('Forgets') && isMost);
    // What the spec accepts is accepted because of the fault.
    const brokenBefore = before.excess > 0 ? before.exceededAt : undefined;
    const isBroken = !isRefuted && (brokenBefore !== undefined || (over.excess > 0 && !isAccepted));
    const isAbsent = !isBroken && view.isSeen && seen.proof === 'Confirmed';
    const isReturned = (over.exceededAt ?? 0) >= view.returnedAt;
    const late = view.requests.filter((request) => request.late?.outcome === 'Admitted').length;
    const isUndecided = over.excess === 0 && suspect.excess > 0 && !isAccepted && !isRefuted;
    const isOpen = unknown > 0 && !isAccepted && !isBroken;
    return {
      isBroken,
      ...(isBroken && { brokenAt: brokenBefore ?? over.exceededAt ?? view.span.startedAt }),
      ...(over.excess > 0 && !isRefuted && { summary: code('OverLimit', { over }) }),
      measures: { overAdmission: over.excess },
      atLeast: unknown > 0 ? ['overAdmission'] : [],
      unproven: [isRefuted && code('OtherLimit', { rules: open, returns, isStated: open.length <= STATED })],
      missing: [
        isOpen && code('OutcomesUnknown', { requests: unknown }),
        isUndecided && code('Undecided', { suspect, rules, asked: returns.length > 1 }),
      ],
      evidence: [
        brokenBefore !== undefined && code('OverLimitBefore', { over: before }),
        over.excess > 0
          ? code('AdmittedOver', {
              over,
              forgot,
              isAccepted,
              isReturned,
              ...(!isOneCaller && { usedBefore }),
            })
          : !isUndecided && code('NotAdmittedOver', { unknown, isOneCaller }),
        !isRefuted && code('CountsBy', { rules, returns, isMeasured: rules.length > STATED }),
        // A fault that was not there excludes nothing.
        isAbsent && !isOneCaller && code('Tested', { sent: testedIn(view, seen) }),
        !isOneCaller && code('DrawnFrom', { seed: plan.seedIn(fixture) }),
        late > 0 && code('AdmittedLate', { requests: late }),
        unknown > 0 && code('OverUnanswered', { requests: unknown }),
      ],
    };
  },
};

/** Kinds of callers, by what they had used of their limits before the fault, and by when they sent. */
const KINDS = ['New', 'Part', 'All', 'Back'] as const;

/**
 * How many callers of each kind could have shown a failure. One could have exceeded its limit only if it sent more than
 * that allows: in the fault, or after it if it was silent in it. Later, Whole: those that got their limits again, a part
 * and all of it.
 */
function testedIn({ over, requests, settings, span: { endedAt, startedAt } }: OutageView, seen: OutageSeen) {
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  const isInFault = ({ sentAt }: CallerRequest): boolean => sentAt >= startedAt && sentAt < endedAt;
  const sending = new Set(drawn.filter(isInFault).map(({ key }) => key));
  const admitAll = drawn.map((request): CallerRequest => {
    const counts = sending.has(request.key) ? isInFault(request) : request.sentAt >= endedAt;
    return counts ? { ...request, outcome: 'Admitted' } : request;
  });
  const tested = limitedCallers(seen, admitAll).filter((one) => one.strict.excess > 0);
  const kinds = tested.map(({ admitted, key }) => {
    const used = admitted.filter(({ endedAt: at }) => at <= startedAt).length;
    if (!sending.has(key)) return used > 0 && 'Back';
    return used === 0 ? 'New' : used < settings.plan.full ? 'Part' : 'All';
  });
  const later = limitReturnIn(seen);
  const { callers = 0, whole = 0 } = later?.code === 'Returned' ? later : {};
  const isJudged = over.suspect.excess === 0 && over.unknown === 0;
  return [
    ...(isJudged ? KINDS : []).map((of) => ({ of, callers: kinds.filter((kind) => kind === of).length })),
    { of: 'Later' as const, callers },
    { of: 'Whole' as const, callers: whole },
  ];
}
