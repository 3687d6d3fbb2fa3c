/** Writes numbers to one key, and holds what the replicas have of it against the invariant. */
import { parseDuration } from '../../../../src/api/index.ts';
import type { Clock } from '../../../../src/engine/clock.ts';
import type { Finding } from '../../../../src/engine/findings.ts';
import type { FaultReport } from '../../../../src/engine/observed.ts';
import type { StaleReplicaSpec } from './api.ts';
import type { Replica } from './replica.ts';

/** Fewer writes than this, acknowledged or refused, prove nothing. */
const LEAST_WRITES = 20;

export interface StaleWatchOptions {
  readonly clock: Clock;
  readonly replicas: readonly Replica[];
  /** Id of the fault that it is about. */
  readonly fault: string;
  /** Written to the first replica, read on all. */
  readonly key: string;
  readonly parameters: StaleReplicaSpec;
}

export class StaleWatch {
  readonly #options: StaleWatchOptions;
  #written = 0;
  /** The last number whose write was acknowledged. */
  #acknowledged = 0;
  #furthest = 0;
  #brokenAt: number | undefined;

  constructor(options: StaleWatchOptions) {
    this.#options = options;
  }

  async write(): Promise<void> {
    this.#written += 1;
    const number = this.#written;
    const acknowledged = await this.#options.replicas[0]?.write(this.#options.key, String(number));
    if (acknowledged) this.#acknowledged = number;
  }

  /** Looks once; `report` says what is known of the fault. */
  async sample(report: FaultReport | undefined): Promise<Finding> {
    const { clock, fault, key, parameters, replicas } = this.#options;
    // What was acknowledged before the look has to be seen by it.
    const acknowledged = this.#acknowledged;
    const seen = await Promise.all(replicas.map(async (replica) => Number(await replica.read(key)) || 0));
    const now = clock.now();
    this.#furthest = Math.max(this.#furthest, acknowledged - Math.min(...seen));
    if (this.#furthest > parameters.behind) this.#brokenAt ??= now;
    const end = report?.endedAt === undefined ? Infinity : report.endedAt + parseDuration(parameters.settle);
    const broken =
      this.#brokenAt === undefined ? {} : { brokenAt: this.#brokenAt, detectedAt: this.#brokenAt };
    const shortfalls = this.#written < LEAST_WRITES ? [`only ${this.#written} writes were tried`] : [];
    return {
      kind: 'Reading',
      fault,
      reading: {
        measures: [{ name: 'behind', value: this.#furthest, bound: parameters.behind, unit: 'writes' }],
        summary: `${this.#furthest} > ${parameters.behind}`,
        ...broken,
        watchedUntil: now,
        complete: now >= end,
        shortfalls,
        evidence: [`${this.#written} writes tried, the last acknowledged was ${this.#acknowledged}`],
      },
    };
  }
}
