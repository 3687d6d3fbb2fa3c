/** Return: after the fault, the ttl and the time to settle, every slot of every key is granted again, by every pod. Pure. */
import { code, NOTHING, once } from '../../checkers/checker.ts';
import { goneOf } from '../../checkers/seen.ts';
import { holdsOf, type LockSeen, lockFold, overlapsOf } from './holds.ts';

/** Undefined while it is unknown. */
export const returnIn = once((seen: LockSeen) => {
  const { ended, return: began } = seen.last;
  if (!ended || !began) return undefined;
  const { keys, pods, slots } = seen.setup;
  const gone = goneOf(seen);
  const staying = pods.filter((pod) => !gone.has(pod));
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
  ...lockFold,
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
      measures: [{ name: 'stuckKeys', value: isBroken ? found.keys : 0, unit: 'keys', bound: 0 }],
      evidence: [found],
    };
  },
};
