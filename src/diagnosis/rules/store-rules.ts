/** Faults of the store that the replicas share. */

import { span } from '../../api/index.ts';
import { brokenConnections } from './broken-connections.ts';
import { claim, type Finding } from './finding.ts';
import { grantedAgain } from './granted-again.ts';
import { type Interval, idsOf, largest, type Measurements, quantile, type Sample } from './measurements.ts';
import { slowConnections } from './slow-connections.ts';
import { type Slow, slowStore, slowWrites } from './slow-store.ts';
import { restart } from './store-restart.ts';
import { unusedStore } from './unused-store.ts';

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

/** What stalled writes explain as well. */
const STALLED_CONSEQUENCES: Finding['consequences'] = [
  'uncoordinated-admission',
  'limit-not-enforced',
  'replica-cut-off',
  'replica-slow',
  'unknown',
];

/** An interval in which a write was stalled. */
interface Stall extends Interval {
  /** The write that was accepted at its end. */
  readonly release: Sample | undefined;
  /** The slowest write accepted before it. */
  readonly usual: Sample | undefined;
}

/** Findings of all rules about the store. */
export function storeFindings(measurements: Measurements): Finding[] {
  const { store } = measurements;
  if (store === undefined) return [];
  const silence = silenceOf(measurements, store);
  const restarted = restart(measurements, store, silence);
  if (restarted) return [restarted];
  const slow = slowStore(measurements, store);
  const stall = stallOf(measurements, store);
  const found: (Finding | undefined)[] = [
    silence ? unreachable(measurements, store, silence) : brokenConnections(measurements, store),
    // A stalled write during a silence, or while reads are slow as well, adds nothing.
    stall && !(silence && overlap(stall, silence) > 0.5) && !(slow && !isFarLonger(stall, slow))
      ? stalled(measurements, store, stall)
      : undefined,
    slow && !(silence && overlap(silence, slow) > 0.5) && !(stall && isFarLonger(stall, slow))
      ? slowly(measurements, store, slow)
      : undefined,
    !silence && !stall && !slow ? writtenSlowly(measurements, store) : undefined,
    !silence && !stall && !slow ? unusedStore(measurements, store) : undefined,
    !silence && !stall && !slow ? slowConnections(measurements, store) : undefined,
  ];
  const others = found.filter((finding) => finding !== undefined);
  if (others.length > 0) return others;
  const again = grantedAgain(measurements, store);
  return again ? [again] : [];
}

/** The longest interval in which the store answered nothing, if it is long enough. */
function silenceOf(measurements: Measurements, store: string): Interval | undefined {
  const answered = [...measurements.of('read-latency', store), ...measurements.of('write-latency', store)];
  const noticed = measurements.of('unreachable', store).filter(({ value }) => value >= MIN_STALL_MS);
  // A read that was answered late shows a silence before its answer.
  const late = measurements
    .of('read-latency', store)
    .filter(
      ({ at, value }) =>
        value >= LONGEST_PAUSE_MS ||
        (value >= LATE_MS && repliesWithin(measurements, at - value, at) >= MIN_REPLIES),
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
function repliesWithin(measurements: Measurements, from: number, to: number): number {
  const replies = measurements.replicas.flatMap((replica) => [
    ...measurements.of('request-latency', replica),
    ...measurements.of('count-local', replica),
  ]);
  const within = replies.filter(({ at }) => at > from && at < to);
  return new Set(within.map(({ at }) => Math.floor(at / PART_MS))).size;
}

function unreachable(measurements: Measurements, store: string, { from, samples, to }: Interval): Finding {
  const after = firstAfter(measurements.of('read-latency', store), to);
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
      ...gapClaim(measurements, from),
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

function stallOf(measurements: Measurements, store: string): Stall | undefined {
  const accepted = measurements.of('write-latency', store);
  const probes = [...measurements.of('write-outstanding', store), ...accepted];
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

function stalled(measurements: Measurements, store: string, stall: Stall): Finding | undefined {
  const { from, release, samples, to, usual } = stall;
  const until = release?.at ?? to;
  const reads = measurements
    .of('read-latency', store)
    .filter(({ at, value }) => at - value > from && at <= until);
  if (reads.length === 0 && repliesWithin(measurements, from, until) < MIN_REPLIES) return undefined;
  const usually = usual ? ` (usually up to ${span(usual.value)})` : '';
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
      ...gapClaim(measurements, from),
    ],
    consequences: STALLED_CONSEQUENCES,
  };
}

function writtenSlowly(measurements: Measurements, store: string): Finding | undefined {
  const slow = slowWrites(measurements, store);
  if (!slow) return undefined;
  const { from, reads, samples, to, usual } = slow;
  return {
    anomaly: 'store-writes-stalled',
    component: store,
    action: 'wait',
    confidence: 0.85,
    onsetMs: from,
    chain: [
      ...claim(
        `Writes to ${store} took ${span(quantile(samples, 0.5))} (median) for ${span(to - from)}${usual > 0 ? ` (usually ${span(usual)})` : ''}.`,
        idsOf(samples),
      ),
      ...claim(
        `${store} answered reads during that time, within ${span(largest(reads)?.value ?? 0)}: only its writes stalled, again and again.`,
        idsOf(reads),
      ),
      ...gapClaim(measurements, from),
    ],
    consequences: STALLED_CONSEQUENCES,
  };
}

/** The largest difference between the counts of the replicas and the store, from `from` on. */
function gapClaim(measurements: Measurements, from: number): Finding['chain'] {
  const widest = widestGap(measurements, from);
  if (!widest || widest.gap <= measurements.lag) return [];
  return claim(
    `The replicas continued to count and could not report it: together they had admitted ${widest.local} when it held ${widest.stored}.`,
    [...widest.ids, ...measurements.lagIds],
  );
}

function widestGap(
  measurements: Measurements,
  from: number,
): { gap: number; local: number; stored: number; ids: string[] } | undefined {
  const stored = measurements.of('count-stored', measurements.store);
  let widest: { at: number; gap: number; local: number; stored: Sample } | undefined;
  let next = 0;
  for (const { at, value } of measurements.running('count-local')) {
    // A value read after the replicas were queried can only be higher.
    while ((stored[next]?.at ?? Infinity) < at) next += 1;
    const held = stored[next];
    if (at < from || !held) continue;
    const gap = value - held.value;
    if (!widest || gap > widest.gap) widest = { at, gap, local: value, stored: held };
  }
  if (!widest) return undefined;
  const ids = [widest.stored.id, ...measurements.total('count-local', widest.at).ids];
  return { ...widest, stored: widest.stored.value, ids };
}

function slowly(
  measurements: Measurements,
  store: string,
  { from, samples, to, usual, writes }: Slow,
): Finding {
  return {
    anomaly: 'store-slow',
    component: store,
    action: 'wait',
    confidence: 0.8,
    onsetMs: from,
    chain: [
      ...claim(
        `Reads of ${store} took ${span(quantile(samples, 0.5))} for ${span(to - from)}${usual > 0 ? ` (usually ${span(usual)})` : ''}.`,
        idsOf(samples),
      ),
      ...claim(
        `Its writes took up to ${span(largest(writes)?.value ?? 0)}: everything that it answers comes late.`,
        idsOf(writes),
      ),
      ...gapClaim(measurements, from),
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
