/** Faults of the store that the replicas share. */
import { claim, type Finding, span } from './finding.ts';
import { type Interval, idsOf, largest, quantile, type Sample, type Signs } from './signs.ts';
import { type Slow, slowStore } from './slow-store.ts';
import { restart } from './store-restart.ts';

/** Shorter delays are no failure: a machine under load delays a probe by as much. Milliseconds. */
const MIN_STALL_MS = 700;
/** A read answered this late, while replicas answered. */
const LATE_MS = 1500;
const MIN_REPLIES = 4;
/** A prober stalls for less than this, however short of processor time. */
const LONGEST_PAUSE_MS = 4000;
const PART_MS = 250;
/** A write that takes this many times the usual is stalled. */
const SLOW_FACTOR = 5;

/** An interval in which a write was stalled. */
interface Stall extends Interval {
  /** The write that was accepted at its end. */
  readonly release: Sample | undefined;
  /** The slowest write accepted before it. */
  readonly usual: Sample | undefined;
}

/** Findings of all rules about the store. */
export function storeFindings(signs: Signs): Finding[] {
  const { store } = signs;
  if (store === undefined) return [];
  const silence = silenceOf(signs, store);
  const restarted = restart(signs, store, silence);
  if (restarted) return [restarted];
  const slow = slowStore(signs, store);
  const stall = stallOf(signs, store);
  const found: (Finding | undefined)[] = [
    silence && unreachable(signs, store, silence),
    // A stalled write during a silence, or while reads are slow as well, adds nothing.
    stall && !(silence && overlap(stall, silence) > 0.5) && !(slow && !isFarLonger(stall, slow))
      ? stalled(signs, store, stall)
      : undefined,
    slow && !(silence && overlap(silence, slow) > 0.5) && !(stall && isFarLonger(stall, slow))
      ? slowly(signs, store, slow)
      : undefined,
  ];
  return found.filter((finding) => finding !== undefined);
}

/** The longest interval in which the store answered nothing, if it is long enough. */
function silenceOf(signs: Signs, store: string): Interval | undefined {
  const answered = [...signs.of('read-latency', store), ...signs.of('write-latency', store)];
  const noticed = signs.of('unreachable', store).filter(({ value }) => value >= MIN_STALL_MS);
  // A read that was answered late shows a silence before its answer.
  const late = signs
    .of('read-latency', store)
    .filter(
      ({ at, value }) =>
        value >= LONGEST_PAUSE_MS ||
        (value >= LATE_MS && repliesWithin(signs, at - value, at) >= MIN_REPLIES),
    );
  const intervals = [...noticed, ...late].map((sample) => ({
    from: sample.at - sample.value,
    to: sample.at,
    samples: [sample],
  }));
  const silent = intervals.filter(
    // A probe sent and answered within the interval shows that it was not silent.
    ({ from, to }) => !answered.some(({ at, value }) => at - value > from + 1 && at < to - 1),
  );
  return silent.reduce<Interval | undefined>(
    (longest, spell) => (longest && longest.to - longest.from >= spell.to - spell.from ? longest : spell),
    undefined,
  );
}

/** In how many parts of an interval replicas answered: if none, the prober may have stalled. */
function repliesWithin(signs: Signs, from: number, to: number): number {
  const replies = signs.replicas.flatMap((replica) => [
    ...signs.of('request-latency', replica),
    ...signs.of('count-local', replica),
  ]);
  const within = replies.filter(({ at }) => at > from && at < to);
  return new Set(within.map(({ at }) => Math.floor(at / PART_MS))).size;
}

function unreachable(signs: Signs, store: string, { from, samples, to }: Interval): Finding {
  const after = firstAfter(signs.of('read-latency', store), to);
  return {
    anomaly: 'store-unreachable',
    component: store,
    action: 'restart-component',
    confidence: 0.9,
    onsetMs: from,
    chain: [
      ...claim(
        `${store} gave no answer of any kind for ${span(to - from)}: neither reads nor writes.`,
        idsOf(samples),
      ),
      ...claim(`It answered again ${span((after?.at ?? to) - from)} after its last sign.`, idsOf([after])),
      ...gapClaim(signs, from),
    ],
    consequences: [
      'uncoordinated-admission',
      'limit-not-enforced',
      'replica-cut-off',
      'replica-slow',
      'replica-unreachable',
      'unknown',
    ],
  };
}

function stallOf(signs: Signs, store: string): Stall | undefined {
  const accepted = signs.of('write-latency', store);
  const probes = [...signs.of('write-outstanding', store), ...accepted];
  let longest: Stall | undefined;
  for (const probe of probes) {
    const from = probe.at - probe.value;
    const usual = largest(accepted.filter(({ at, value }) => at <= from && value < MIN_STALL_MS));
    if (probe.value < Math.max(MIN_STALL_MS, SLOW_FACTOR * (usual?.value ?? 0))) continue;
    if (longest && probe.value <= longest.to - longest.from) continue;
    const samples = probes.filter(({ at, value }) => Math.abs(at - value - from) < 50);
    longest = { from, to: probe.at, samples, usual, release: firstAfter(accepted, probe.at - 1) };
  }
  return longest;
}

function stalled(signs: Signs, store: string, stall: Stall): Finding | undefined {
  const { from, release, samples, to, usual } = stall;
  const until = release?.at ?? to;
  const reads = signs.of('read-latency', store).filter(({ at, value }) => at - value > from && at <= until);
  if (reads.length === 0 && repliesWithin(signs, from, until) < MIN_REPLIES) return undefined;
  const usually = usual ? `, where ${span(usual.value)} is usual` : '';
  const over = release
    ? `took ${span(release.at - from)} to be accepted`
    : `was not answered for ${span(to - from)}`;
  return {
    anomaly: 'store-writes-stalled',
    component: store,
    action: 'wait',
    confidence: reads.length > 0 ? 0.95 : 0.6,
    onsetMs: from,
    chain: [
      ...claim(`A write to ${store} ${over}${usually}.`, idsOf([...samples, release, usual])),
      ...claim(
        `${store} answered reads during that time, within ${span(largest(reads)?.value ?? 0)}: it was reachable, and its writes stalled.`,
        idsOf(reads),
      ),
      ...gapClaim(signs, from),
    ],
    consequences: [
      'uncoordinated-admission',
      'limit-not-enforced',
      'replica-cut-off',
      'replica-slow',
      'unknown',
    ],
  };
}

/** The largest difference between the counts of the replicas and the store, from `from` on. */
function gapClaim(signs: Signs, from: number): Finding['chain'] {
  const widest = widestGap(signs, from);
  if (!widest || widest.gap <= signs.lag) return [];
  return claim(
    `The replicas continued to count and could not report it: together they had admitted ${widest.local} when it held ${widest.stored}.`,
    [...widest.ids, ...signs.lagIds],
  );
}

function widestGap(
  signs: Signs,
  from: number,
): { gap: number; local: number; stored: number; ids: string[] } | undefined {
  const stored = signs.of('count-stored', signs.store);
  let widest: { at: number; gap: number; local: number; stored: Sample } | undefined;
  let next = 0;
  for (const { at, value } of signs.running('count-local')) {
    // A value read after the replicas were queried can only be higher.
    while ((stored[next]?.at ?? Infinity) < at) next += 1;
    const held = stored[next];
    if (at < from || !held) continue;
    const gap = value - held.value;
    if (!widest || gap > widest.gap) widest = { at, gap, local: value, stored: held };
  }
  if (!widest) return undefined;
  const ids = [widest.stored.id, ...signs.total('count-local', widest.at).ids];
  return { ...widest, stored: widest.stored.value, ids };
}

function slowly(signs: Signs, store: string, { from, samples, to, usual, writes }: Slow): Finding {
  return {
    anomaly: 'store-slow',
    component: store,
    action: 'wait',
    confidence: 0.8,
    onsetMs: from,
    chain: [
      ...claim(
        `Reads of ${store} took ${span(quantile(samples, 0.5))} for ${span(to - from)}${usual > 0 ? `, where ${span(usual)} is usual` : ''}.`,
        idsOf(samples),
      ),
      ...claim(
        `Its writes took up to ${span(largest(writes)?.value ?? 0)}: everything that it answers comes late.`,
        idsOf(writes),
      ),
      ...gapClaim(signs, from),
    ],
    consequences: [
      'uncoordinated-admission',
      'limit-not-enforced',
      'replica-slow',
      'replica-cut-off',
      'store-writes-stalled',
      'unknown',
    ],
  };
}

/** Whether writes stall far longer than the slow reads of the same time take. */
function isFarLonger(stall: Stall, slow: Slow): boolean {
  return stall.to - stall.from > SLOW_FACTOR * (largest(slow.samples)?.value ?? 0);
}

/** The share of `a` that lies in `b`. */
function overlap(a: Interval, b: Interval): number {
  const common = Math.min(a.to, b.to) - Math.max(a.from, b.from);
  return Math.max(0, common) / Math.max(1, a.to - a.from);
}

function firstAfter(samples: readonly Sample[], at: number): Sample | undefined {
  return samples.find((sample) => sample.at > at);
}
