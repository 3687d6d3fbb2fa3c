/**
 * Drift during a fault: requests admitted in one window, less those counted by Redis. The
 * invariant is violated above the tolerance plus the lag measured without a fault, in two complete samples in a row.
 * Admissions of the sender over the limit are reported as well, and not judged. Pure; times are parameters. The
 * violation is dated earlier than the sample that shows it. The steady traffic knows when each of its requests was
 * admitted, and a sample that exceeded the bound at time t with S counts in Redis shows that Redis held at most S at
 * any time before. So at the (bound + S + 1)-th admission the drift already exceeded the bound. That moment, if there
 * is one, is `brokenAt`, else the sample's.
 */
import type { Measure } from '../../../api/index.ts';
import { counted } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import { EARLY_MS } from '../../redis/events.ts';
import type { CounterSample, CountSource } from '../history/counter-sample.ts';
import type { CallerRequest } from '../history/events.ts';
import { atLeast, leftOutShortfall, perPod, sinceStart, sumOf } from '../words.ts';
import type { Formula } from './finding.ts';
import { type PodTraffic, TrafficRecord } from './traffic-record.ts';
import {
  type CompleteSample,
  type FaultSpan,
  onUntil,
  toleratedGap,
  WatchRecord,
  whenOutside,
} from './watch-record.ts';

export interface DriftSettings {
  readonly pods: readonly string[];
  readonly limit: number;
  readonly tolerance: number;
  /** The largest drift without a fault, at the same rate; undefined if it was not measured. */
  readonly lag: number | undefined;
  /**
   * Where admissions and counts are read; default: pods and Redis. If the pods do not report them, nothing is known of
   * how the limiter counts, so its drift has no ceiling: a limiter that fails open admits all requests.
   */
  readonly source?: CountSource;
  /** Why it is not shown that the limiter counts in the paused Redis; undefined: it is. */
  readonly storeDoubt?: string | undefined;
}

export class DriftInvariant {
  readonly #settings: DriftSettings;
  readonly #record: WatchRecord;
  readonly #bound: number;
  readonly #traffic: TrafficRecord;
  #widest: { drift: number; sample: CompleteSample } | undefined;
  #breaking: CompleteSample | undefined;
  #outside: { drift: number; at: number } | undefined;
  #unconfirmed = false;
  #allowedWhenSampled = 0;
  #leftOut = 0;
  #broken:
    | { readonly brokenAt: number; readonly detectedAt: number; readonly whenDetected: Measure }
    | undefined;

  constructor(settings: DriftSettings) {
    this.#settings = settings;
    this.#record = new WatchRecord(settings.pods, LOOKED[settings.source ?? 'Nodes']);
    this.#bound = settings.tolerance + (settings.lag ?? 0);
    this.#traffic = new TrafficRecord(settings.pods);
  }

  get formula(): Formula {
    const measured = MEASURED[this.#settings.source ?? 'Nodes'];
    return { text: `${measured} <= bound`, measured, bound: 'bound' };
  }

  /** The largest lead of admissions over counts. */
  get widest(): number {
    return Math.max(0, this.#widest?.drift ?? 0);
  }

  /** Whether the counters were ever further apart than without a fault. */
  get drifted(): boolean {
    return this.widest > (this.#settings.lag ?? 0);
  }

  /** What was sent to each pod, with the outcomes. */
  get traffic(): ReadonlyMap<string, PodTraffic> {
    return this.#traffic.byPod;
  }

  /** The most that each pod reported, or the sender saw, as admitted. */
  get admitted(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#traffic.byPod].map(([pod, { admitted }]) => [
        pod,
        Math.max(admitted, this.#record.most.get(pod) ?? 0),
      ]),
    );
  }

  /**
   * Whether another sample would decide something, so that it should be taken at once: two samples in a row decide, and
   * the admissions of the sender show when the first may exceed the bound.
   */
  get urgent(): boolean {
    if (this.#broken) return false;
    const { last } = this.#record;
    const unseen = this.#traffic.admittedCount - this.#allowedWhenSampled;
    const drift = last ? last.total - last.stored : 0;
    return this.#breaking !== undefined || (unseen > 0 && drift + unseen > this.#bound);
  }

  /** Call for each ended request, in the order of their ends. */
  request(request: CallerRequest): void {
    this.#traffic.request(request);
  }

  /** Requests in flight by pod when the last sample was taken, at `at` or later. */
  inFlight(requests: Readonly<Record<string, number>>, at: number): void {
    this.#traffic.inFlight(requests, at);
  }

  /** Requests were not sent, because too many were open. */
  leftOut(requests: number): void {
    this.#leftOut += requests;
  }

  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample, fault: FaultSpan): CompleteSample | undefined {
    const complete = this.#record.add(sample);
    if (!complete) return undefined;
    this.#allowedWhenSampled = this.#traffic.admittedCount;
    const drift = complete.total - complete.stored;
    if (this.#widest === undefined || drift > this.#widest.drift) this.#widest = { drift, sample: complete };
    const { lag } = this.#settings;
    if (this.#broken) return complete;
    if (drift <= this.#bound) {
      this.#unconfirmed ||= this.#breaking !== undefined;
      this.#breaking = undefined;
    } else if (!isWithin(complete, fault)) {
      this.#outside ??= { drift, at: complete.readAt };
      this.#breaking = undefined;
    } else if (this.#breaking === undefined) {
      this.#breaking = complete;
    } else if (lag !== undefined) {
      this.#broken = {
        brokenAt: this.#momentBroken(this.#breaking),
        detectedAt: complete.endedAt,
        whenDetected: this.#drift(),
      };
    }
    return complete;
  }

  reading(fault: FaultSpan): InvariantReading {
    const { limit } = this.#settings;
    const { requests, admitted, rejected, errors, timeouts } = this.#traffic.totals;
    const drift = this.#drift();
    const over = this.#overAdmission(fault);
    const others = { requests, admitted, rejected, errors, timeouts };
    const passed = `${atLeast(over.measure)}${over.admitted}/${limit}`;
    const apart = `${atLeast(drift)}${drift.value}`;
    return {
      measures: [
        drift,
        over.measure,
        ...Object.entries(others).map(([name, value]) => ({ name, value, unit: 'requests' })),
      ],
      summary: `${apart} ${drift.value > this.#bound ? '>' : '<='} ${this.#bound}; ${passed}`,
      ...this.#broken,
      watchedUntil: this.#record.watchedUntil,
      shortfalls: this.#shortfalls(fault),
      evidence: this.#evidence(fault),
    };
  }

  #momentBroken({ readAt, stored }: CompleteSample): number {
    return Math.min(readAt, this.#traffic.admittedAt(this.#bound + stored) ?? readAt);
  }

  get #ceiling(): number {
    const { limit, pods, source = 'Nodes' } = this.#settings;
    return source === 'Nodes' ? pods.length * limit : Number.POSITIVE_INFINITY;
  }

  /**
   * Whether more requests, or a larger limit, would have shown more than `value`: if `found` of the requests are all.
   */
  #isSaturated(value: number, found: number): boolean {
    const { requests } = this.#traffic.totals;
    return value >= this.#ceiling || (requests > this.#settings.limit && found >= requests);
  }

  #drift(): Measure {
    const value = this.widest;
    const saturated = value > 0 && this.#isSaturated(value, value);
    return {
      name: 'drift',
      value,
      bound: this.#bound,
      unit: 'requests',
      ...(saturated && { atLeast: saturated }),
    };
  }

  #overAdmission(fault: FaultSpan): { admitted: number; byPod: Map<string, number>; measure: Measure } {
    const byPod = this.#traffic.admittedWithin(fault.startedAt ?? 0, onUntil(fault));
    const admitted = sumOf(byPod.values());
    const value = Math.max(0, admitted - this.#settings.limit);
    const saturated = value > 0 && this.#isSaturated(admitted, this.#traffic.admittedCount);
    const measure = { name: 'overAdmission', value, unit: 'requests' };
    return { admitted, byPod, measure: { ...measure, ...(saturated && { atLeast: saturated }) } };
  }

  #shortfalls(fault: FaultSpan): string[] {
    const { pods, limit, lag, source = 'Nodes', storeDoubt } = this.#settings;
    const missing = storeDoubt === undefined ? [] : [storeDoubt];
    if (this.#bound >= this.#ceiling) {
      missing.push(
        `the drift cannot exceed ${counted(pods.length, 'pod')} x limit ${limit} = ${this.#ceiling}, and the bound is ${this.#bound}: raise limit.requests`,
      );
    }
    if (lag === undefined) missing.push('the lag without a fault was not measured in this session');
    if (this.#outside) {
      const { drift, at } = this.#outside;
      missing.push(`the counters were ${drift} apart ${whenOutside(at, fault)}, which is not of the fault`);
    }
    if (this.#unconfirmed) missing.push('a single sample was above the bound and the next was not');
    if (fault.endedAt === undefined) missing.push('the end of the fault was not seen');
    else if (fault.endedAt < fault.until - EARLY_MS) {
      missing.push(`the fault ended ${Math.round(fault.until - fault.endedAt)} ms before its time`);
    }
    if (fault.doubtfulFrom !== undefined && fault.doubtfulFrom < fault.until - EARLY_MS) {
      const early = Math.round(fault.until - fault.doubtfulFrom);
      if (fault.endedAt === undefined || fault.endedAt > fault.doubtfulFrom)
        missing.push(`no probe saw the fault after ${early} ms before its planned end`);
    }
    const { startedAt: from = 0, endedAt: to, until, watchTo } = fault;
    for (const pod of pods) {
      const answered = this.#traffic.answeredWithin(pod, from, onUntil(fault));
      if (answered < limit)
        missing.push(`${pod} answered ${counted(answered, 'check')} within the fault, ${limit} are needed`);
    }
    // A limiter that rejects all callers has nothing to count.
    if (source !== 'Nodes' && this.#overAdmission(fault).admitted === 0) {
      missing.push(
        'no request was admitted during the fault, so no count could drift: the rate limiter failed closed, or hung. Use StoreOutage to judge what callers get',
      );
    }
    if (this.#leftOut > 0) missing.push(leftOutShortfall(this.#leftOut));
    missing.push(
      ...this.#record.shortfalls({ from, to, watchTo, maxGapMs: toleratedGap(until - from) }),
      ...this.#undecided(),
      ...this.#disagreements(),
    );
    return missing;
  }

  /** What may still have violated the invariant, or did so at the end of the fault. */
  #undecided(): string[] {
    const { open } = this.#traffic.totals;
    const tips = (this.#widest?.drift ?? 0) + open > this.#bound;
    return open > 0 && tips ? [`${counted(open, 'request')} without a proper answer could tip it`] : [];
  }

  /** Pods whose counters differ from the sender's count, once both had time to settle. */
  #disagreements(): string[] {
    const { last } = this.#record;
    if (!last || last.readAt < this.#traffic.lastAdmittedAt) return [];
    return [...this.#traffic.byPod].flatMap(([pod, { sent, answered, admitted }]) => {
      const says = last.admitted.get(pod) ?? 0;
      if (says >= admitted && says <= admitted + sent - answered) return [];
      return [`${pod} counts ${says} admitted, and the sender had ${admitted} admitted by it`];
    });
  }

  #evidence(fault: FaultSpan): string[] {
    const { pods, limit, tolerance, lag } = this.#settings;
    const lines: string[] = [];
    if (this.#widest) {
      const { drift, sample } = this.#widest;
      const at = sinceStart(sample.readAt, fault.startedAt);
      lines.push(
        `Widest sample${at && ` (${at})`}: ${Math.max(0, drift)} apart, admitted ${perPod(sample.admitted)}; counted by Redis ${sample.stored}`,
      );
    }
    lines.push(
      ...(Number.isFinite(this.#ceiling)
        ? [`Ceiling of the drift: ${counted(pods.length, 'pod')} x limit ${limit} = ${this.#ceiling}`]
        : []),
      `Bound of the drift: tolerance ${tolerance} + lag without a fault ${lag ?? 'not measured'}`,
    );
    const { requests, admitted, rejected, errors, timeouts, open } = this.#traffic.totals;
    if (requests > 0) {
      const { admitted: passed, byPod } = this.#overAdmission(fault);
      const answered = new Map([...this.#traffic.byPod].map(([pod, counts]) => [pod, counts.answered]));
      const others = open - timeouts;
      // A limiter that keeps its limit by rejecting callers under it keeps it at a price.
      const spare =
        rejected + errors > 0 && admitted < limit
          ? `, though the limit had room for ${limit - admitted} more`
          : '';
      lines.push(
        `Admitted ${passed} of limit ${limit} while the fault was active: ${perPod(byPod)}`,
        `Steady traffic: ${counted(requests, 'check')}, ${admitted} admitted, ${timeouts} timeouts${others > 0 ? `, ${others} open or answered improperly` : ''}; answered by ${perPod(answered)}`,
        `Outcome for callers: ${admitted} of ${requests} admitted, ${rejected} rejected${errors > 0 ? `, ${errors} errors` : ''}${spare}`,
      );
    }
    lines.push(this.#record.summary(fault));
    return lines;
  }
}

/** What a sample reads, if not the pods and Redis. */
const LOOKED: Readonly<Record<CountSource, string | undefined>> = {
  Nodes: undefined,
  Sender: 'what the sender and Redis counted',
};

/** The drift, over signals of evidence. */
const MEASURED: Readonly<Record<CountSource, string>> = {
  Nodes: 'sum(count-local) - count-stored',
  Sender: 'sum(requests-admitted) - count-stored',
};

/** Whether all of a sample was taken while the fault was active. */
function isWithin({ readAt, endedAt }: CompleteSample, fault: FaultSpan): boolean {
  return fault.startedAt !== undefined && readAt >= fault.startedAt && endedAt <= onUntil(fault);
}

/**
 * The number of admissions that were not counted. A limiter behind HTTP may also count rejections: then more may be
 * under-counted if counts are missing, or if there are more of them than admissions.
 */
export function underCounted(admitted: number, stored: number, isExact = false): Measure {
  const value = Math.max(0, admitted - stored);
  const atLeast = !isExact && stored !== admitted;
  return { name: 'underCounted', value, unit: 'requests', ...(atLeast && { atLeast }) };
}
