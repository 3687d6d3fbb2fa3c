/**
 * The checkers of a lock. Exclusion: never more than its slots of a key are held for certain at once; and how much that
 * excludes. Fencing: of two grants of a key, the one that was asked for after the answer to the other has the larger
 * token. Service: what contenders get in the fault, in one word. Return: after the fault, the ttl and the time to settle,
 * every slot of every key is granted again, by every pod. Pure.
 */
import { code, NOTHING, once } from '../../checkers/checker.ts';
import { price } from '../../checkers/price.ts';
import { proof, record } from '../../checkers/record.ts';
import { type Counts, countsOf, sizeOf } from '../../checkers/requests.ts';
import { goneOf, pods } from '../../checkers/seen.ts';
import { LEAST_REQUESTS, SHARE, shareInterval } from '../../checkers/share-interval.ts';
import {
  type Behaviour,
  contendedOf,
  doubleGrantsOf,
  type Hold,
  holdsOf,
  type LockSeen,
  overlapsOf,
  viewOf,
} from './holds.ts';

export const exclusion = {
  name: 'exclusion',
  finding(seen: LockSeen) {
    const { parameters, part } = seen.setup.plan;
    const { slots } = part;
    const { endedAt = Number.POSITIVE_INFINITY, startedAt } = seen.times;
    const [doubles, contended] = [doubleGrantsOf(seen), contendedOf(seen)];
    const [first] = doubles;
    const held = Math.max(0, ...doubles.map(({ open }) => open.length));
    const before = doubles.filter(({ hold }) => hold.from < (startedAt ?? endedAt)).length;
    const inFault = contended.filter(({ sentAt }) => sentAt >= (startedAt ?? endedAt) && sentAt < endedAt);
    const [grants, have] = [doubles.length, contended.length];
    const isAccepted = parameters.accept.includes('DoubleGrants');
    const isShort = !first && !isAccepted && have < LEAST_REQUESTS;
    return {
      isBroken: first !== undefined && !isAccepted,
      brokenAt: first?.hold.from,
      measures: { doubleGrants: grants, contended: have },
      bounds: { doubleGrants: 0 },
      ...(first && { summary: code('TooManyHeld', { held, slots }) }),
      missing: [isShort && code('TooFewContended', { have, need: LEAST_REQUESTS })],
      evidence: [
        first
          ? code('DoubleGranted', { first, grants, held, slots, before, startedAt })
          : code('NotDoubleGranted', { contended: have, inFault: inFault.length, slots }),
      ],
    };
  },
};

type Fenced = Hold & { readonly fence: number };

const isFenced = (hold: Hold): hold is Fenced => hold.fence !== undefined;

/** Grants whose token is not larger than that of a grant that was answered before they were asked for. */
function shrinkingIn(holds: readonly Hold[]): Fenced[] {
  const fenced = holds.filter(isFenced);
  return fenced.filter((one) => fenced.some(({ fence, from }) => from < one.sentAt && fence >= one.fence));
}

export const fencing = {
  name: 'fencing',
  finding(seen: LockSeen) {
    if (!seen.setup.plan.part.acquire.fencing) return NOTHING;
    const all = [...holdsOf(seen).values()];
    const shrinking = all.flatMap(shrinkingIn).toSorted((a, b) => a.from - b.from);
    const without = all.flat().filter((hold) => !isFenced(hold)).length;
    const [first] = shrinking;
    return {
      isBroken: first !== undefined,
      brokenAt: first?.from,
      measures: { staleTokens: shrinking.length },
      bounds: { staleTokens: 0 },
      ...(first && { summary: code('TokenShrank') }),
      missing: [without > 0 && code('TokensMissing', { grants: without })],
      evidence: [
        first
          ? code('TokensShrank', { grants: shrinking.length, key: first.key, fence: first.fence })
          : code('TokensGrew', { grants: all.flat().length }),
      ],
    };
  },
};

/** Of the share of grants without a fault: with more, contenders get the lock as before, and with less hardly ever. */
const [AS_BEFORE, HARDLY] = [1 / 2, 1 / 10] as const;

/** The share of grants among decisions. */
const granted = ({ Admitted, Rejected }: Counts): number => Admitted / Math.max(1, Admitted + Rejected);

/** @param relative how often a lock that no other had was granted, as a share of that without a fault */
function wordFor(counts: Counts, relative: number): Behaviour {
  const is = (count: number): boolean => count > 0 && count >= SHARE * sizeOf(counts);
  if (is(counts.Timeout)) return 'Hangs';
  if (is(counts.Admitted + counts.Rejected) && relative >= AS_BEFORE) return 'Excludes';
  return is(counts.Rejected + counts.Error) && relative <= HARDLY ? 'Denies' : 'Mixed';
}

export const service = {
  name: 'service',
  finding(seen: LockSeen) {
    const view = viewOf(seen);
    if (!view) return NOTHING;
    const { calm, during, free } = view;
    const counts = countsOf(during);
    const [of, have] = [sizeOf(counts), sizeOf(free)];
    const relative = granted(calm) > 0 ? granted(free) / granted(calm) : 0;
    const isDouble = doubleGrantsOf(seen).length > 0;
    const behaviour = isDouble ? 'DoubleGrants' : wordFor(counts, relative);
    const isBroken = !isDouble && !seen.setup.plan.parameters.accept.includes(behaviour);
    // The measured share is so close to the border that chance decides whether there is one word.
    const isNear = [counts.Timeout, counts.Error].some((count) => {
      const shares = [shareInterval(count, of), shareInterval(of - count, of)];
      return count > 0 && count < of && shares.some(({ from, to }) => from < SHARE && to > SHARE);
    });
    return {
      isBroken,
      ...(isBroken && { brokenAt: seen.times.startedAt }),
      summary: code('Behaviour', { behaviour }),
      measures: { granted: counts.Admitted, acquires: of },
      unproven: [
        !isDouble && have < LEAST_REQUESTS && code('TooFewAcquires', { have, need: LEAST_REQUESTS }),
        !isDouble && calm.Admitted + calm.Rejected < LEAST_REQUESTS && code('TooFewBefore'),
      ],
      missing: [isNear && !isDouble && code('NearBorder', { counts })],
      evidence: [code('Got', { behaviour, counts, relative })],
      byPod: seen.setup.pods.map((pod) => {
        return code('PodGot', { pod, counts: countsOf(during.filter((one) => one.pod === pod)) });
      }),
    };
  },
};

/** Undefined while it is unknown. */
export const returnIn = once((seen: LockSeen) => {
  const { ended, return: began } = seen.last;
  if (!ended || !began) return undefined;
  const { fixture, plan, pods: all } = seen.setup;
  const { slots } = plan.part;
  const keys = plan.keysOf(fixture);
  const gone = goneOf(seen);
  const staying = all.filter((pod) => !gone.has(pod));
  const lacking = keys.flatMap((key) => {
    const holds = (holdsOf(seen).get(key) ?? []).filter(({ sentAt }) => sentAt >= began.at);
    const granting = new Set(holds.map(({ pod }) => pod));
    const have = Math.max(0, ...overlapsOf(holds).map(({ open }) => open.length));
    if (have >= slots && staying.every((pod) => granting.has(pod))) return [];
    const last = seen.requests.findLast((one) => one.caller === 'Acquire' && one.key === key);
    return [{ have, isRejected: last?.outcome === 'Rejected', isTried: (last?.sentAt ?? 0) >= began.at }];
  });
  const waitedMs = Math.round(ended.at - began.at);
  if (lacking.length === 0) return code('Returned', { keys: keys.length, slots });
  if (!lacking.every(({ isTried }) => isTried)) return code('ReturnUnseen');
  const denied = lacking.filter(({ isRejected }) => isRejected);
  const [first = lacking[0]] = denied;
  const figures = { of: keys.length, have: first?.have ?? 0, slots, waitedMs };
  return denied.length > 0
    ? code('NotReturned', { keys: denied.length, ...figures })
    : code('NotRecovered', { keys: lacking.length, ...figures });
});

export const slotsReturn = {
  name: 'slotsReturn',
  finding(seen: LockSeen) {
    const found = returnIn(seen);
    if (!found) return NOTHING;
    if (found.code === 'ReturnUnseen') return { missing: [found] };
    const isBroken = found.code !== 'Returned';
    return {
      isBroken,
      ...(isBroken && {
        brokenAt: seen.times.endedAt,
        summary: code('Stuck', { isRejected: found.code === 'NotReturned' }),
      }),
      measures: { stuckKeys: isBroken ? found.keys : 0 },
      bounds: { stuckKeys: 0 },
      evidence: [found],
    };
  },
};

export const LOCK_CHECKERS = [record, proof, exclusion, fencing, service, slotsReturn, price, pods] as const;
