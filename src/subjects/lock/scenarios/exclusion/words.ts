/** The findings about a lock in words, with the fields of the spec to change. */

import { listed } from '@chaosdemo/redis-faults/text';
import { counted } from '../../../../api/index.ts';
import { CONFIDENCE, excludedAbove } from '../../../../engine/power.ts';
import type { Code, CodeOf } from '../../../checkers/checker.ts';
import { SHARE } from '../../../checkers/share-interval.ts';
import { COMMON, countsText, sinceStart, wording } from '../../../scenarios/words.ts';
import type { LOCK_CHECKERS } from '../../checkers/index.ts';

type LockCode = CodeOf<(typeof LOCK_CHECKERS)[number]>;

const LONGER = 'lengthen exclusion.fault.duration or raise exclusion.keys';
/** Counts of requests to acquire. */
const gotText = (...of: Parameters<typeof countsText>): string =>
  countsText(...of).replace('admitted', 'granted');

export const lockWords: (found: Code) => string = wording<LockCode>({
  ...COMMON,

  // Exclusion.
  TooManyHeld: ({ held, slots }) => `${held} > ${slots} at once`,
  DoubleGranted({ before, first, grants, held, slots, startedAt }) {
    const { from: at, key, pod } = first.hold;
    const others = [...new Set(first.open.slice(0, -1).map((hold) => hold.pod))];
    const early = before > 0 ? `; ${before} of them before the fault` : '';
    return `Up to ${held} held a lock of ${counted(slots, 'slot')} at once, by ${counted(grants, 'double grant')}${early}. The first was at ${sinceStart(at, startedAt) || 'an unknown time'}: ${pod} granted ${key} while it was held by grants of ${listed(others)}`;
  },
  NotDoubleGranted({ contended, inFault, slots }) {
    const above = contended > 0 ? excludedAbove(contended) : 100;
    return `Never more than ${counted(slots, 'holder')} at once. While all slots were held for certain, ${counted(contended, 'request')} to acquire came, ${inFault} in the fault, and none was granted. A failure that grants more than ${above} % of them is excluded at ${CONFIDENCE} % confidence`;
  },
  TooFewContended: ({ have, need }) =>
    `${counted(have, 'request')} to acquire came while all slots were held for certain, and ${need} are needed: ${LONGER}`,

  // Fencing.
  TokenShrank: () => 'fencing token did not grow',
  TokensShrank: ({ fence, grants, key }) =>
    `Fencing tokens did not grow in ${counted(grants, 'grant')}: the first is ${fence} of ${key}, no larger than that of an earlier grant`,
  TokensGrew: ({ grants }) => `Fencing tokens grew with each of ${counted(grants, 'grant')}`,
  TokensMissing: ({ grants }) =>
    `${counted(grants, 'grant')} had no whole number at lock.acquire.fencing: correct it`,

  // Service.
  Behaviour: ({ behaviour }) => behaviour,
  Got: ({ behaviour, counts, relative }) =>
    `${behaviour} in the fault: requests to acquire got ${gotText(counts)}. If no other had the lock, it was granted ${Math.round(100 * relative)} % as often as without a fault`,
  PodGot: ({ counts, pod }) => `${pod} in the fault: ${gotText(counts)}`,
  TooFewAcquires: ({ have, need }) =>
    `${counted(have, 'request')} to acquire in the fault came while a slot was free, and ${need} are needed: ${LONGER}`,
  TooFewBefore: () =>
    'too few requests to acquire had a response without a fault to compare with: lengthen countdown or exclusion.settle',
  NearBorder: ({ counts }) =>
    `what contenders got is near the border of ${Math.round(100 * SHARE)} % between two results (${gotText(counts)}): ${LONGER}`,

  // Return.
  Stuck: ({ isRejected }) => (isRejected ? 'slot not returned' : 'no recovery'),
  ReturnUnseen: () =>
    'no request could be sent to see whether every slot is granted again: run fewer at once',
  Returned: ({ keys, slots }) =>
    `Every slot was granted again after the fault, by every pod: ${counted(keys, 'key')} with ${counted(slots, 'slot')} each`,
  NotReturned: ({ have, keys, of, slots, waitedMs }) =>
    `Not every slot was granted again: ${keys} of ${counted(of, 'key')} still rejected after ${(waitedMs / 1000).toFixed(1)} s without a holder, ${have} of ${counted(slots, 'slot')} granted. A request without a response took one, or a release was lost`,
  NotRecovered: ({ keys, of, waitedMs }) =>
    `${keys} of ${counted(of, 'key')} could not be acquired ${(waitedMs / 1000).toFixed(1)} s after contenders had stopped: requests had an error or no response`,
});
