/**
 * Ghosts: requests admitted in one window beyond its limit, as the sender saw it
 * (allowed answers) and as the nodes say (their counters). Only where both say
 * the same, above the limit, it is detected; where they disagree nothing is proven. Pure.
 */

import { counted } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import type { CounterSample } from '../history/counter-sample.ts';
import { perNode, atLeast as saturated, sinceStart } from '../words.ts';
import { tallyOf } from './burst-report.ts';
import type { BurstResult } from './burst-result.ts';
import type { Invariant } from './counter-watch.ts';
import { type CompleteSample, type FaultSpan, WatchRecord } from './watch-record.ts';

export interface GhostSettings {
  readonly nodes: readonly string[];
  readonly limit: number;
}

/** What a burst is judged by, whoever counts. */
export const GHOST_FORMULA = {
  text: 'sum(requests-allowed) <= allowed',
  measured: 'sum(requests-allowed)',
  bound: 'allowed',
} as const;

export class GhostInvariant implements Invariant {
  readonly #settings: GhostSettings;
  readonly #record: WatchRecord;
  #burst: BurstResult | undefined;
  #firstAboveAt: number | undefined;
  #caughtUpAt: number | undefined;
  #most = 0;
  #detectedAt: number | undefined;

  constructor(settings: GhostSettings) {
    this.#settings = settings;
    this.#record = new WatchRecord(settings.nodes);
  }

  /** The burst is over; `now` in milliseconds since the epoch. */
  setBurst(burst: BurstResult, now: number): void {
    this.#burst = burst;
    this.#detect(now);
  }

  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample): CompleteSample | undefined {
    const complete = this.#record.add(sample);
    if (!complete) return undefined;
    this.#most = Math.max(this.#most, complete.total);
    if (complete.total > this.#settings.limit) this.#firstAboveAt ??= complete.readAt;
    // A sample that read its nodes during the burst knows only a part of it.
    if (this.#burst && complete.total >= this.#burst.allowed && complete.stored >= complete.total) {
      this.#caughtUpAt ??= complete.endedAt;
    }
    this.#detect(complete.endedAt);
    return complete;
  }

  reading(fault: FaultSpan): InvariantReading {
    const brokenAt = this.#detectedAt === undefined ? undefined : this.#momentBroken();
    const { limit } = this.#settings;
    const { requests = 0, allowed = 0, denied = 0, unanswered = 0, errors = 0 } = this.#burst ?? {};
    // What both agreed on; somebody else may use the key later.
    const admitted = this.#detectedAt === undefined ? Math.max(this.#most, allowed) : allowed;
    // Where nobody was turned away, a larger burst would have shown more.
    // And where each node admitted all it may, more nodes would have.
    const ceiling = this.#settings.nodes.length * limit;
    const atLeast = requests > limit && allowed > limit && (allowed === requests || allowed >= ceiling);
    return {
      measures: [
        { name: 'admitted', value: admitted, bound: limit, unit: 'requests', ...(atLeast && { atLeast }) },
        { name: 'requests', value: requests, unit: 'requests' },
        { name: 'denied', value: denied, unit: 'requests' },
        { name: 'unanswered', value: unanswered + errors, unit: 'requests' },
      ],
      summary: `${saturated({ atLeast })}${admitted}/${limit}`,
      ...(brokenAt !== undefined && { brokenAt }),
      ...(this.#detectedAt !== undefined && { detectedAt: this.#detectedAt }),
      watchedUntil: this.#record.watchedUntil,
      shortfalls: this.#shortfalls(fault),
      evidence: this.#evidence(fault),
    };
  }

  #detect(now: number): void {
    const allowed = this.#burst?.allowed ?? 0;
    if (allowed <= this.#settings.limit || !this.#record.last) return;
    if (this.#disagreements().length === 0) this.#detectedAt ??= now;
  }

  /** Nodes whose counters say something else than the sender got from them. */
  #disagreements(): string[] {
    const { last } = this.#record;
    return this.#settings.nodes.flatMap((node) => {
      const [says, allowed] = [last?.admitted.get(node) ?? 0, this.#burst?.allowedBy.get(node) ?? 0];
      return says === allowed ? [] : [`${node} counts ${says}, the sender was allowed ${allowed} by it`];
    });
  }

  /** The first answer beyond the limit, or the first sample that shows it, whichever was earlier. */
  #momentBroken(): number {
    const byAnswers = this.#burst?.allowedAt[this.#settings.limit] ?? Infinity;
    return Math.min(byAnswers, this.#firstAboveAt ?? Infinity);
  }

  #shortfalls(fault: FaultSpan): string[] {
    const missing: string[] = [];
    const burst = this.#burst;
    if (!burst) missing.push('the burst has not been reported');
    else {
      const open = burst.unanswered + burst.errors;
      if (open > 0) {
        missing.push(
          `${open} of ${burst.requests} requests ${open === 1 ? 'has' : 'have'} no proper answer${burst.firstError ? `: ${burst.firstError}` : ''}`,
        );
      }
      const spared = this.#settings.nodes.filter((node) => !burst.sent.get(node));
      if (spared.length > 0) missing.push(`${spared.join(', ')} got no request`);
      const last = this.#record.last;
      if (last && this.#disagreements().length > 0) {
        missing.push(
          `the sender was allowed ${burst.allowed}, the nodes count ${last.total}: ${this.#disagreements().join(', ')}`,
        );
      }
      if (last && last.stored !== last.total) {
        missing.push(`Redis counted ${last.stored}, the nodes ${last.total}`);
      }
    }
    // What was admitted stays in the counters to the end of the window, so the length of the fault does not matter.
    const { startedAt: from = 0, watchTo } = fault;
    missing.push(...this.#record.shortfalls({ from, ...(watchTo !== undefined && { watchTo }) }));
    return missing;
  }

  #evidence(fault: FaultSpan): string[] {
    const { limit } = this.#settings;
    const lines: string[] = [];
    const burst = this.#burst;
    const last = this.#record.last;
    if (burst) {
      lines.push(`Sender: ${counted(burst.requests, 'request')}, ${tallyOf(burst)}`);
      if (burst.allowed === burst.requests && burst.allowed > limit) {
        lines.push(
          `Every request was admitted: the true over-admission is at least ${burst.allowed - limit}`,
        );
      }
    }
    if (last) {
      const at = sinceStart(last.readAt, fault.startedAt);
      lines.push(
        `Last sample${at && ` (${at})`}: nodes admitted ${perNode(last.admitted)}, together ${last.total}; Redis counted ${last.stored}`,
      );
    }
    if (burst && this.#caughtUpAt !== undefined) {
      lines.push(
        `Redis held all counts ${Math.max(0, Math.round(this.#caughtUpAt - burst.startedAt))} ms after the burst began`,
      );
    }
    lines.push(this.#record.summary(fault));
    return lines;
  }
}
