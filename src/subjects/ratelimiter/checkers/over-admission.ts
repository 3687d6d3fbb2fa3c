/** Over-admission: no caller is admitted over its limit, unless that is accepted. Pure. */
import { excludedAbove } from '../../../engine/power.ts';
import { code, figure, NOTHING } from '../../checkers/checker.ts';
import type { CallerRequest } from '../../history/events.ts';
import { type OutageSeen, type OutageView, outageFold, viewOf } from './outage-seen.ts';
import { limitedCallers } from './over.ts';

export const overAdmission = {
  ...outageFold,
  name: 'overAdmission',
  finding(seen: OutageSeen) {
    const view = viewOf(seen);
    if (!view) return NOTHING;
    const { before, onceMore, over, unknown, usedBefore } = view.over;
    const { accept, isOneCaller, seed } = view.settings;
    const forgot = onceMore?.isMost === true;
    // An unseen fault may have lost counts, too.
    const isMost = onceMore ? onceMore.isMost : !view.isSeen;
    const isAccepted = accept.includes('FailsOpen') || (accept.includes('Forgets') && isMost);
    // What the spec accepts is accepted because of the fault.
    const brokenBefore = before.excess > 0 ? before.exceededAt : undefined;
    const isBroken = brokenBefore !== undefined || (over.excess > 0 && !isAccepted);
    const late = view.requests.filter((request) => request.late?.outcome === 'Admitted').length;
    const isOpen = unknown > 0 && !isAccepted && !isBroken;
    return {
      isBroken,
      ...(isBroken && { brokenAt: brokenBefore ?? over.exceededAt ?? view.span.startedAt }),
      ...(over.excess > 0 && { summary: code('OverLimit', { over }) }),
      measures: [{ ...figure('overAdmission', over.excess), ...(unknown > 0 && { atLeast: true }) }],
      missing: [isOpen && code('OutcomesUnknown', { requests: unknown })],
      evidence: [
        brokenBefore !== undefined && code('OverLimitBefore', { over: before }),
        over.excess > 0
          ? code('AdmittedOver', {
              over,
              forgot,
              isAccepted,
              usedBefore: isOneCaller ? undefined : usedBefore,
            })
          : code('NotAdmittedOver', testedIn(view)),
        !isOneCaller && seed !== undefined && code('DrawnFrom', { seed }),
        late > 0 && code('AdmittedLate', { requests: late }),
        unknown > 0 && code('OverUnanswered', { requests: unknown }),
      ],
    };
  },
};

/** How many callers were tested, and thus what share of callers would have been detected. */
function testedIn({ over: { unknown }, requests, settings, span: { endedAt, startedAt } }: OutageView) {
  const { isOneCaller } = settings;
  if (unknown > 0 || isOneCaller) return { unknown, isOneCaller, callers: 0, excludedAbove: 100 };
  // A caller that sent no more than its limit allows in that time could not exceed it.
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  const admitAll = drawn.map((request): CallerRequest => {
    const isInFault = request.sentAt >= startedAt && request.sentAt < endedAt;
    return isInFault ? { ...request, outcome: 'Admitted' } : request;
  });
  const callers = limitedCallers(settings, admitAll).filter(({ over }) => over.excess > 0).length;
  return { unknown, isOneCaller, callers, excludedAbove: callers > 0 ? excludedAbove(callers) : 100 };
}
