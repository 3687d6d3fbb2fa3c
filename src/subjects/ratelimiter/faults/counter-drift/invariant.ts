/**
 * Drift: what the nodes admitted, less what Redis counted, in one window. Broken
 * above the threshold plus the lag that was measured without a fault, in two
 * complete samples in a row. Pure; times are parameters.
 *
 * When it was really broken is told apart from when that was seen. The steady
 * traffic knows when each of its requests was allowed, and a sample that broke
 * the bound at time t with S counts in Redis says that Redis held at most S at
 * any time before. So at the moment of the (bound + S + 1)-th allowed answer the
 * nodes had admitted at least that many and the drift was above the bound
 * already; that moment, where there is one, is `brokenAt`, else the sample's.
 */
import type { InvariantReading } from '../../../../demo/observed.ts';
import type { CounterSample } from '../../interfaces/reference/counter-sample.ts';
import { counted, perNode, sinceStart } from '../../words.ts';
import type { Invariant } from '../fault-watch.ts';
import { type CompleteSample, type FaultSpan, toleratedGap, WatchRecord } from '../watch-record.ts';

/** A fault that ends this much before its planned end did not last. Redis itself is late, never early. */
export const EARLY_MS = 250;

/** What the steady traffic has counted since the fault was proven, for each node. */
export interface NodeTraffic {
  sent: number;
  /** Answered for the key's window. */
  answered: number;
  allowed: number;
  /** Sent, and no answer came in time. */
  unanswered: number;
}

export interface DriftSettings {
  readonly nodes: readonly string[];
  /** Requests that the limit allows. */
  readonly limit: number;
  readonly threshold: number;
  /** The furthest drift without a fault; undefined when it was not measured. */
  readonly lag: number | undefined;
}

export class DriftInvariant implements Invariant {
  readonly #settings: DriftSettings;
  readonly #record: WatchRecord;
  readonly #bound: number;
  readonly #allowedAt: number[] = [];
  readonly #traffic: Map<string, NodeTraffic>;
  #widest: { drift: number; sample: CompleteSample } | undefined;
  #breaking: CompleteSample | undefined;
  #unconfirmed = false;
  #brokenAt: number | undefined;
  #detectedAt: number | undefined;

  constructor(settings: DriftSettings) {
    this.#settings = settings;
    this.#record = new WatchRecord(settings.nodes);
    this.#bound = settings.threshold + (settings.lag ?? 0);
    this.#traffic = new Map(
      settings.nodes.map((node) => [node, { sent: 0, answered: 0, allowed: 0, unanswered: 0 }]),
    );
  }

  /** The furthest that the nodes were ahead of Redis. */
  get widest(): number {
    return Math.max(0, this.#widest?.drift ?? 0);
  }

  /** Whether the counters were ever further apart than they are without a fault. */
  get drifted(): boolean {
    return this.widest > (this.#settings.lag ?? 0);
  }

  /** What was sent to each node and became of it. */
  get traffic(): ReadonlyMap<string, NodeTraffic> {
    return this.#traffic;
  }

  /** A request goes to the node; what is returned takes that back. */
  sent(node: string): () => void {
    const traffic = this.#of(node);
    traffic.sent += 1;
    return () => {
      traffic.sent -= 1;
    };
  }

  /** An answer of the key's window arrived at `at`; answers have to come in the order of their times. */
  answered(node: string, allowed: boolean, at: number): void {
    const traffic = this.#of(node);
    traffic.answered += 1;
    if (!allowed) return;
    traffic.allowed += 1;
    this.#allowedAt.push(at);
  }

  unanswered(node: string): void {
    this.#of(node).unanswered += 1;
  }

  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample): CompleteSample | undefined {
    const complete = this.#record.add(sample);
    if (!complete) return undefined;
    const drift = complete.total - complete.stored;
    if (this.#widest === undefined || drift > this.#widest.drift) this.#widest = { drift, sample: complete };
    if (drift <= this.#bound) {
      if (this.#breaking && this.#detectedAt === undefined) this.#unconfirmed = true;
      this.#breaking = undefined;
    } else if (this.#breaking === undefined) {
      this.#breaking = complete;
    } else if (this.#detectedAt === undefined && this.#settings.lag !== undefined) {
      this.#brokenAt = this.#momentBroken(this.#breaking);
      this.#detectedAt = complete.endedAt;
    }
    return complete;
  }

  reading(fault: FaultSpan): InvariantReading {
    const totals = this.#totals();
    return {
      measures: [
        { name: 'drift', value: this.widest, bound: this.#bound, unit: 'requests' },
        ...(['requests', 'allowed', 'denied', 'unanswered'] as const).map((name) => ({
          name,
          value: totals[name],
          unit: 'requests',
        })),
      ],
      summary: `${this.widest} ${this.widest > this.#bound ? '>' : '<='} ${this.#bound}`,
      ...(this.#brokenAt !== undefined && { brokenAt: this.#brokenAt }),
      ...(this.#detectedAt !== undefined && { detectedAt: this.#detectedAt }),
      watchedUntil: this.#record.watchedUntil,
      shortfalls: this.#shortfalls(fault),
      evidence: this.#evidence(fault),
    };
  }

  #momentBroken({ readAt, stored }: CompleteSample): number {
    const byTraffic = this.#allowedAt[this.#bound + stored];
    return byTraffic !== undefined && byTraffic < readAt ? byTraffic : readAt;
  }

  #shortfalls(fault: FaultSpan): string[] {
    const { nodes, limit, lag } = this.#settings;
    const missing: string[] = [];
    const ceiling = nodes.length * limit;
    if (this.#bound >= ceiling) {
      missing.push(
        `the drift cannot exceed ${counted(nodes.length, 'node')} x limit ${limit} = ${ceiling}, and the bound is ${this.#bound}: lower counterDrift.threshold or raise limit.requests`,
      );
    }
    if (lag === undefined) missing.push('the lag without a fault was not measured in this session');
    if (fault.endedAt === undefined) missing.push('the end of the fault was not seen');
    else if (fault.endedAt < fault.until - EARLY_MS) {
      missing.push(`the fault ended ${Math.round(fault.until - fault.endedAt)} ms before its time`);
    }
    for (const [node, { answered }] of this.#traffic) {
      if (answered < limit)
        missing.push(
          `${node} answered ${counted(answered, 'check')} within the fault, ${limit} ${limit === 1 ? 'is' : 'are'} needed`,
        );
    }
    const { startedAt: from = 0, endedAt: to, until, watchTo } = fault;
    const maxGapMs = toleratedGap(until - from);
    missing.push(
      ...this.#record.shortfalls({
        from,
        maxGapMs,
        ...(to !== undefined && { to }),
        ...(watchTo !== undefined && { watchTo }),
      }),
    );
    const open = this.#open();
    if (open > 0 && (this.#widest?.drift ?? 0) + open > this.#bound) {
      missing.push(`${counted(open, 'request')} without a proper answer could tip it`);
    }
    if (this.#unconfirmed && this.#detectedAt === undefined) {
      missing.push('a single sample was above the bound and the next was not');
    }
    const seen = this.#record.last?.total ?? 0;
    if (seen < this.#total('allowed') && (this.#record.last?.readAt ?? 0) >= (this.#allowedAt.at(-1) ?? 0)) {
      missing.push(
        `the nodes' counters show ${seen}, fewer than the ${counted(this.#total('allowed'), 'request')} they allowed`,
      );
    }
    return missing;
  }

  #evidence(fault: FaultSpan): string[] {
    const { nodes, limit, threshold, lag } = this.#settings;
    const lines: string[] = [];
    if (this.#widest) {
      const { drift, sample } = this.#widest;
      const at = sinceStart(sample.readAt, fault.startedAt);
      lines.push(
        `Widest sample${at && ` (${at})`}: ${Math.max(0, drift)} apart, admitted ${perNode(sample.admitted)}; counted by Redis ${sample.stored}`,
      );
    }
    lines.push(
      `Ceiling of the drift: ${counted(nodes.length, 'node')} x limit ${limit} = ${nodes.length * limit}`,
      `Bound: threshold ${threshold} + lag without a fault ${lag ?? 'not measured'}`,
    );
    const { requests, allowed, denied, unanswered } = this.#totals();
    if (requests > 0) {
      const answered = new Map([...this.#traffic].map(([node, counts]) => [node, counts.answered]));
      const others = this.#open() - unanswered;
      // A limit that is kept by turning everybody away is kept at a price.
      const spare =
        denied > 0 && allowed < limit ? `, though the limit had room for ${limit - allowed} more` : '';
      lines.push(
        `Steady traffic: ${counted(requests, 'check')}, ${allowed} allowed, ${unanswered} unanswered${others > 0 ? `, ${others} open or answered improperly` : ''}; answered by ${perNode(answered)}`,
        `Callers got: ${allowed} of ${requests} allowed, ${denied} denied${spare}`,
      );
    }
    lines.push(this.#record.summary(fault));
    return lines;
  }

  #totals(): { requests: number; allowed: number; denied: number; unanswered: number } {
    const allowed = this.#total('allowed');
    return {
      requests: this.#total('sent'),
      allowed,
      denied: this.#total('answered') - allowed,
      unanswered: this.#total('unanswered'),
    };
  }

  /** Requests of which nobody knows whether they were admitted: not answered in time, or yet, or properly. */
  #open(): number {
    return this.#total('sent') - this.#total('answered');
  }

  #total(of: keyof NodeTraffic): number {
    return [...this.#traffic.values()].reduce((sum, counts) => sum + counts[of], 0);
  }

  #of(node: string): NodeTraffic {
    const traffic = this.#traffic.get(node);
    if (!traffic) throw new RangeError(`${node} is not among the watched nodes`);
    return traffic;
  }
}
