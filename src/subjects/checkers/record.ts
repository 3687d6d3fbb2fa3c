/** What is true of every history, whatever it shows: how complete it is, and whether the fault was there. Pure. */
import { EARLY_MS } from '@chaosdemo/redis-faults/events';
import type { Recorded } from '../history/recorded.ts';
import type { Price } from '../spec/price-schema.ts';
import { code } from './checker.ts';

export interface RecordSetup {
  /** Names of the pods. */
  readonly pods: readonly string[];
  /** Why it is not shown that the pods use this store; undefined: it is. */
  readonly storeDoubt?: string | undefined;
  readonly plan: {
    /** How long beyond its planned end the fault has to affect callers; milliseconds. */
    readonly lingerMs: number;
    /** Whether the planned end is only a bound, because the fault ends once it has happened. */
    readonly failsOver: boolean;
    readonly price?: Price | undefined;
  };
}

type RecordSeen = Recorded & { readonly setup: RecordSetup };

/** All that was sent and observed is recorded, and shows something about the subject. */
export const record = {
  name: 'record',
  finding: ({ dropped, leftOut, setup: { storeDoubt } }: RecordSeen) => ({
    unproven: [dropped > 0 && code('EventsDropped', { events: dropped })],
    missing: [
      storeDoubt !== undefined && code('StoreDoubt', { why: storeDoubt }),
      leftOut > 0 && code('LeftOut', { requests: leftOut }),
    ],
  }),
};

/** The fault was there for all of its time. */
export const proof = {
  name: 'proof',
  finding({ proof: found, setup, times }: RecordSeen) {
    const { failsOver, lingerMs } = setup.plan;
    const { doubtfulFrom, endedAt } = times;
    const until = failsOver ? Math.min(times.until, endedAt ?? times.until) : times.until;
    const lastsUntil = until + lingerMs;
    const isEarly = endedAt !== undefined && endedAt < until - EARLY_MS;
    const isDoubtful =
      doubtfulFrom !== undefined &&
      doubtfulFrom < lastsUntil - EARLY_MS &&
      (lingerMs > 0 || endedAt === undefined || endedAt > doubtfulFrom);
    return {
      unproven: [
        found !== undefined && found !== 'Confirmed' && code('FaultUnproven'),
        endedAt === undefined && code('EndUnseen'),
        isEarly && code('EndedEarly', { ms: until - endedAt }),
        isDoubtful && code('FaultDoubtful', { ms: lastsUntil - doubtfulFrom }),
      ],
    };
  },
};
