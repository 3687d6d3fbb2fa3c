/**
 * The callers of a store outage, drawn from a seed: each with its own history, since a limiter may fail only those with
 * a certain one. Some reside: they have used a part of their limits before the fault, and send or are silent before,
 * during and after it. Newcomers come one after the other and stay within their limits. Pure.
 */
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { newcomerKey, residentKey } from '../caller-keys.ts';

export type Phase = 'after' | 'before' | 'during' | 'waiting';

export interface Resident {
  readonly key: string;
  /** Requests that it sends before the fault. */
  readonly used: number;
  /** The only pod that it sends to; left out: all in turn. */
  readonly pod?: number;
  /** Whether it sends no more before its limit returns, once it was rejected in or after the fault. */
  readonly stops: boolean;
  /** Of the traffic of residents; 0: it is silent. */
  readonly shares: Readonly<Record<Phase, number>>;
}

/** Enough that each part of a limit occurs with each way to send. */
const RESIDENTS = 24;
/** Their requests to each pod in a turn in which one newcomer sends to it. */
export const RESIDENTS_PER_TURN = 3;
/** Of them, those that send more than a few requests in the fault; and as many that send a few. */
const MOST_BUSY = RESIDENTS / 3;
/** At the limit, one short of it, and new: these are always busy. */
const LEAST_BUSY = 3;
/** Requests of one of the others in the fault: a busy caller may have used up all, so nothing is owed to it after it. */
const FEW = 2;
/** Parts of a limit that are used before the fault. */
const USED = [0, 0.3, 0.5, 0.7, 0.9, 1] as const;
/** About this many requests use parts of limits before the fault, besides those of the first callers. */
const MOST_PREPARED = 400;
/** Requests of a resident once its limit has returned, at most. */
const WHEN_RETURNED = 3;
/** Requests of a newcomer, at most. */
const MOST_OF_NEWCOMER = 10;
/** Shares of residents that are drawn: to use one pod only, to stop when rejected, and to go on after the fault. */
const [ON_ONE_POD, STOPPING, GOING_ON] = [0.3, 0.4, 0.75] as const;
/** One of so many asks again and again while the others wait for their limits. */
const ASKING = 4;

export interface Draw {
  readonly fixture: string;
  readonly seed: number;
  readonly limit: RateLimit;
  readonly pods: number;
  /** Requests of all residents in the fault. */
  readonly inFault: number;
  /** Requests that a busy one has to send there. */
  readonly busyNeeds: number;
  /** Whether windows end in the fault: what was used before it counts for little then, and only busy ones matter. */
  readonly anyWindow: boolean;
}

export function residentsOf(draw: Draw): readonly Resident[] {
  const { anyWindow, busyNeeds, fixture, inFault, limit, pods, seed } = draw;
  const random = randomOf(seed);
  const full = admittedAtOnce(limit);
  const few = anyWindow ? 0 : FEW;
  const ofBusy = inFault - few * MOST_BUSY;
  const busy = Math.max(LEAST_BUSY, Math.min(MOST_BUSY, Math.floor(ofBusy / busyNeeds)));
  const fewShare = few / Math.max(1, ofBusy / busy);
  let prepared = 0;
  const [over, ...others] = Array.from({ length: RESIDENTS }, (_, i): Resident => {
    const isFirst = i < LEAST_BUSY;
    const part = USED[i % USED.length] ?? 0;
    const drawn = Math.round(
      full * Math.min(1, part === 0 || part === 1 ? part : part + 0.2 * (random() - 0.5)),
    );
    const used = isFirst ? ([full, full - 1, 0][i] ?? 0) : prepared + drawn > MOST_PREPARED ? 0 : drawn;
    if (!isFirst) prepared += used;
    const isBusy = i < busy;
    // Every part that is used occurs among those that send a few requests, and among those that send none.
    const isSlow = !isBusy && Math.floor(i / USED.length) % 2 === 1;
    const onOnePod = !isFirst && random() < ON_ONE_POD;
    // It has turns at that pod only.
    const times = onOnePod ? Math.min(pods, 3) : 1;
    const stops = random() < STOPPING;
    const after = random() < GOING_ON && !anyWindow ? times * (1 + 2 * random()) : 0;
    return {
      key: residentKey(fixture, i),
      used,
      ...(onOnePod && { pod: i % pods }),
      stops: !isFirst && stops,
      shares: {
        before: i === 0 ? 1 : 0,
        during: times * (isBusy ? 1 : isSlow ? fewShare : 0),
        after: isFirst ? 2 : after,
        waiting: !stops && !isFirst && i % ASKING === 3 ? 1 : 0,
      },
    };
  });
  if (!over) return [];
  // A third: it shows when the limit is enforced again.
  const after = others.reduce((sum, { shares }) => sum + shares.after, 0) / 2;
  return [{ ...over, shares: { ...over.shares, after } }, ...others];
}

/** A seed for a run that names none: FNV-1a of its fixture, which is another in each run. */
export function seedOf(fixture: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < fixture.length; i += 1) hash = Math.imul(hash ^ fixture.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

/** Numbers from 0 to below 1, always the same for a seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One request that is due: of a caller, to the pod of this number. */
export interface Turn {
  readonly key: string;
  readonly pod: number;
}

/** Who sends when. */
export class Population {
  readonly residents: readonly Resident[];
  readonly #draw: Draw;
  readonly #phase: () => Phase;
  readonly #newcomers: Generator<string, never>;
  readonly #random: () => number;
  /** Residents that were rejected, and stop. */
  readonly #stopped = new Set<string>();
  /** By pod, of each resident: the turns that it is owed by its share. */
  readonly #credits = new Map<number, number[]>();
  #dealt: Phase | undefined;

  constructor(draw: Draw, phase: () => Phase) {
    this.residents = residentsOf(draw);
    this.#draw = draw;
    this.#phase = phase;
    this.#newcomers = newcomers(draw);
    this.#random = randomOf(draw.seed ^ 0x85eb_ca6b);
  }

  /** A caller of that key was rejected. */
  rejected(key: string): void {
    if (this.#phase() !== 'before' && this.residents.some((one) => one.key === key && one.stops)) {
      this.#stopped.add(key);
    }
  }

  /** The key of the next newcomer. */
  nextNew(): string {
    return this.#newcomers.next().value;
  }

  /** The keys that send to this pod in one turn of the traffic. */
  turnTo(pod: number): string[] {
    // Before the fault only one of the residents sends.
    const turns = this.#phase() === 'before' ? 1 : RESIDENTS_PER_TURN;
    return [
      this.nextNew(),
      ...Array.from({ length: turns }, () => this.nextTo(pod)).flatMap((key) => key ?? []),
    ];
  }

  /** The key of the resident whose turn it is to send to this pod; undefined: none sends. */
  nextTo(pod: number): string | undefined {
    const phase = this.#phase();
    if (phase !== this.#dealt) this.#credits.clear();
    this.#dealt = phase;
    const credits = this.#credits.get(pod) ?? this.residents.map(() => 0);
    this.#credits.set(pod, credits);
    const shares = this.residents.map((one) => {
      const isHere = one.pod === undefined || one.pod === pod;
      return isHere && !this.#stopped.has(one.key) ? one.shares[phase] : 0;
    });
    const total = shares.reduce((sum, share) => sum + share, 0);
    let [best, most]: [number | undefined, number] = [undefined, -Infinity];
    for (const [i, share] of shares.entries()) {
      if (share === 0) continue;
      const credit = (credits[i] ?? 0) + share / total;
      credits[i] = credit;
      // Without chance, a caller would come at the same time in every turn.
      const rank = credit + this.#random();
      if (rank > most) [best, most] = [i, rank];
    }
    if (best === undefined) return undefined;
    credits[best] = (credits[best] ?? 0) - 1;
    return this.residents[best]?.key;
  }

  /** Each resident, a few times, once its limit must have returned. */
  returned(): Turn[] {
    const { limit, pods } = this.#draw;
    const rounds = Math.min(WHEN_RETURNED, admittedAtOnce(limit));
    return Array.from({ length: rounds }, (_, round) =>
      this.residents.map(({ key, pod }, i) => ({ key, pod: pod ?? (i + round) % pods })),
    ).flat();
  }
}

/** Keys of newcomers, one for each request: none makes more than its limit admits at once. */
function* newcomers({ fixture, limit, seed }: Draw): Generator<string, never> {
  const random = randomOf(seed ^ 0x9e37_79b9);
  const most = Math.min(MOST_OF_NEWCOMER, admittedAtOnce(limit));
  for (let i = 0; ; i += 1) {
    const uses = 1 + Math.floor(random() * most);
    for (let n = 0; n < uses; n += 1) yield newcomerKey(fixture, i);
  }
}
