/**
 * The callers of a store outage, drawn from a seed: each with its own history, since a limiter may fail only those with
 * a certain one. Some reside: they have used a part of their limits before the fault, and send or are silent before,
 * during and after it. Newcomers come one after the other and stay within their limits. Pure.
 */
import { randomOf } from '../../../scenarios/seed.ts';
import { newcomerKey, residentKey } from '../../history/caller-keys.ts';

/**
 * before: the countdown. during: the fault. after: until the limiter has to have recovered. settled: from then on.
 * waiting: for limits to return.
 */
export type Phase = 'after' | 'before' | 'during' | 'settled' | 'waiting';

export interface Resident {
  readonly key: string;
  /** Requests that it sends long before the fault. */
  readonly used: number;
  /** Requests that it sends right before the fault: what a limiter remembers for seconds only is fresh then. */
  readonly usedLate: number;
  /** The only pod that it sends to; left out: all in turn. */
  readonly pod?: number;
  /** Whether it sends no more before its limit returns, once it was rejected in or after the fault. */
  readonly stops: boolean;
  /** Of the traffic of residents; 0: it is silent. */
  readonly shares: Readonly<Record<Phase, number>>;
}

/** Enough that each part of a limit occurs with each way to send. */
const RESIDENTS = 24;
/** Their requests to each pod for each one of a newcomer. */
export const RESIDENTS_PER_NEWCOMER = 3;
/** Of them, those that send more than a few requests in the fault; and at most so many others that send a few. */
const MOST_BUSY = RESIDENTS / 3;
/** At the limit, one short of it, and new: these are always busy. */
const LEAST_BUSY = 3;
/** Requests of one of the others in the fault, about: a busy caller may have used up all, so nothing is owed to it. */
const FEW = 4;
/** Parts of a limit that are used before the fault. */
const USED = [0, 0.3, 0.5, 0.7, 0.9, 1] as const;
/** About this many requests use parts of limits before the fault, besides those of the first callers. */
const MOST_PREPARED = 400;
/** Requests of a resident once its limit has returned, unless it sends all of it; and then so many beyond that. */
const [WHEN_RETURNED, OVER_RETURNED] = [3, 2] as const;
/** How long requests of whole limits take, in addition to the others; seconds. */
const WHOLE_SECONDS = 3;
/** Requests of a newcomer, at most; and those over its limit, if that is no larger. */
const [MOST_OF_NEWCOMER, OVER_OF_NEWCOMER] = [10, 3] as const;
/** Shares of residents that are drawn: to use one pod only, to stop when rejected, and to go on after the fault. */
const [ON_ONE_POD, STOPPING, GOING_ON] = [0.3, 0.4, 0.75] as const;
/** Turns a second to each pod while limits return. */
export const ASKING_PER_SECOND = 2;
/** One of so many asks again and again while the others wait for their limits. */
const ASKING = 4;

export interface Draw {
  readonly fixture: string;
  readonly seed: number;
  /** What a limit admits at once. */
  readonly full: number;
  readonly pods: number;
  /** Requests of all residents in the fault. */
  readonly inFault: number;
  /** Requests that a busy one has to send there. */
  readonly busyNeeds: number;
}

export function residentsOf(draw: Draw): readonly Resident[] {
  const { busyNeeds, fixture, full, inFault, pods, seed } = draw;
  const random = randomOf(seed);
  const few = Math.max(0, Math.min(FEW, (inFault - LEAST_BUSY * busyNeeds) / RESIDENTS));
  const ofBusy = inFault - few * (RESIDENTS - MOST_BUSY);
  const busy = Math.max(LEAST_BUSY, Math.min(MOST_BUSY, Math.floor(ofBusy / busyNeeds)));
  const oneRequest = busy / Math.max(1, ofBusy);
  let prepared = 0;
  const [over, ...others] = Array.from({ length: RESIDENTS }, (_, i): Resident => {
    const isFirst = i < LEAST_BUSY;
    const part = USED[i % USED.length] ?? 0;
    const drawn = Math.round(
      full * Math.min(1, part === 0 || part === 1 ? part : part + 0.2 * (random() - 0.5)),
    );
    const used = isFirst ? ([full, full - 1, 0][i] ?? 0) : prepared + drawn > MOST_PREPARED ? 0 : drawn;
    if (!isFirst) prepared += used;
    const usedLate = isFirst ? 0 : Math.ceil(used / 2);
    const isBusy = i < busy;
    // Every part that is used occurs among those that send a few requests, and among those that send none.
    const isSlow = !isBusy && Math.floor(i / USED.length) % 2 === 1;
    const onOnePod = !isFirst && random() < ON_ONE_POD;
    // It has turns at that pod only.
    const times = onOnePod ? Math.min(pods, 3) : 1;
    const stops = random() < STOPPING;
    // Some of what is owed to the others after the fault is left for the time when the limiter has to have recovered.
    const returnsAt = isSlow || random() < 0.5 ? 'settled' : 'after';
    const goesOn = random() < GOING_ON || isSlow ? times * (1 + 2 * random()) : 0;
    // One that has used its limit shows whatever is admitted beyond it, and few of them are silent in the fault.
    const after = goesOn === 0 && used === full ? 2 * times : goesOn;
    return {
      key: residentKey(fixture, i),
      used: used - usedLate,
      usedLate,
      ...(onOnePod && { pod: i % pods }),
      stops: !isFirst && stops,
      shares: {
        before: i === 0 ? 1 : 0,
        during: times * (isBusy ? 1 : isSlow ? oneRequest * few * (0.3 + 0.7 * random()) : 0),
        after: isFirst ? 2 : returnsAt === 'after' ? after : 0,
        settled: isFirst ? 1 : after,
        waiting: !isFirst && (isSlow || (!stops && i % ASKING === 3)) ? 1 : 0,
      },
    };
  });
  if (!over) return [];
  // A third: it shows when the limit is enforced again.
  const thirdOf = (phase: Phase): number =>
    others.reduce((sum, { shares }) => sum + shares[phase], 0) / 2 || 1;
  const shares = {
    ...over.shares,
    after: thirdOf('after'),
    settled: thirdOf('settled'),
  };
  return [{ ...over, shares }, ...others];
}

/** How many callers there are about, if newcomers send so many requests; a fifth more than on average. */
export function callersDrawn(full: number, requestsOfNewcomers: number): number {
  const each = (1 + Math.min(MOST_OF_NEWCOMER, full)) / 2;
  return RESIDENTS + Math.ceil((1.2 * requestsOfNewcomers) / each);
}

/** One request that is due: of a caller, to the pod of this number. */
export interface Turn {
  readonly key: string;
  readonly pod: number;
}

export type Population = ReturnType<typeof populationOf>;

/** Who sends when. */
export function populationOf(draw: Draw, phase: () => Phase) {
  const { fixture, full, pods, seed } = draw;
  const residents = residentsOf(draw);
  const random = randomOf(seed ^ 0x85eb_ca6b);
  /** Residents that were rejected, and stop. */
  const stopped = new Set<string>();
  /** By pod, of each resident: the turns that it is owed by its share. */
  const creditsOf = new Map<number, number[]>();
  /** By pod: turns until that of a newcomer, and how many are left until the next such round. */
  const rounds = new Map<number, { until: number; left: number }>();
  /** The newcomer whose turns it is, and how many are left. */
  const newcomer = { index: -1, left: 0 };
  let dealt: Phase | undefined;

  /** Until the limiter has to have recovered, no newcomer sends more than its limit; then some do, if it is small. */
  const usesOfNext = (): number => {
    const isLate = phase() === 'settled' || phase() === 'waiting';
    if (isLate && full <= MOST_OF_NEWCOMER) return full + Math.floor(random() * (OVER_OF_NEWCOMER + 1));
    return 1 + Math.floor(random() * Math.min(MOST_OF_NEWCOMER, full));
  };

  /** The key of the next request of a newcomer. */
  const nextNew = (): string => {
    if (newcomer.left === 0) Object.assign(newcomer, { index: newcomer.index + 1, left: usesOfNext() });
    newcomer.left -= 1;
    return newcomerKey(fixture, newcomer.index);
  };

  /** The key of the resident whose turn it is to send to this pod; undefined: none sends. */
  const nextTo = (pod: number): string | undefined => {
    const now = phase();
    if (now !== dealt) creditsOf.clear();
    dealt = now;
    const credits = creditsOf.get(pod) ?? residents.map(() => 0);
    creditsOf.set(pod, credits);
    const shares = residents.map((one) => {
      const isHere = one.pod === undefined || one.pod === pod;
      return isHere && !stopped.has(one.key) ? one.shares[now] : 0;
    });
    const total = shares.reduce((sum, share) => sum + share, 0);
    let [best, most]: [number | undefined, number] = [undefined, -Infinity];
    for (const [i, share] of shares.entries()) {
      if (share === 0) continue;
      const credit = (credits[i] ?? 0) + share / total;
      credits[i] = credit;
      // Without chance, a caller would come at the same time in every turn.
      const rank = credit + random();
      if (rank > most) [best, most] = [i, rank];
    }
    if (best === undefined) return undefined;
    credits[best] = (credits[best] ?? 0) - 1;
    return residents[best]?.key;
  };

  return {
    residents,
    nextNew,
    nextTo,

    /** A caller of that key was rejected. */
    rejected(key: string): void {
      if (phase() === 'before') return;
      if (residents.some((one) => one.key === key && one.stops)) stopped.add(key);
    },

    /** The key that sends to this pod while others wait for their limits. */
    askTo: (pod: number): string | undefined => (random() < 0.5 ? nextNew() : nextTo(pod)),

    /** The key that sends to this pod in the next turn of the traffic; undefined: none. */
    turnTo(pod: number): string | undefined {
      const known = rounds.get(pod);
      const size = 1 + RESIDENTS_PER_NEWCOMER;
      // Newcomers and residents come in any order: a limiter may treat the first request after a pause in its own way.
      const round = known && known.left > 0 ? known : { until: Math.floor(random() * size), left: size };
      rounds.set(pod, { until: round.until - 1, left: round.left - 1 });
      return round.until === 0 ? nextNew() : nextTo(pod);
    },

    /**
     * Once limits must have returned: some residents send all of it and more, as many as there is time for, and then the
     * others send a few requests. @param only the first of them
     */
    returned(perSecond: number, only: boolean): Turn[] {
      const [few, all] = [Math.min(WHEN_RETURNED, full), full + OVER_RETURNED];
      const some = only ? residents.slice(0, 1) : residents;
      // One of each kind that has waited: first those that send to all pods.
      const kinds = Map.groupBy(some, ({ pod, shares, used, usedLate }) =>
        [pod === undefined, shares.waiting, shares.during > 0 && [0, full].indexOf(used + usedLate)].join(),
      );
      const whole = [...kinds.values()]
        .flatMap(([one]) => (one?.shares.waiting === 0 ? one : []))
        .sort((a, b) => Number(a.pod !== undefined) - Number(b.pod !== undefined))
        .slice(0, Math.floor((WHOLE_SECONDS * perSecond) / (all - few)));
      const turns = (of: readonly Resident[], times: number): Turn[] =>
        Array.from({ length: of.length > 0 ? times : 0 }, (_, round) =>
          of.map(({ key, pod }, i) => ({ key, pod: pod ?? (i + round) % pods })),
        ).flat();
      const others = some.filter((one) => !whole.includes(one));
      return [...turns(whole, all), ...turns(others, few)];
    },
  };
}
