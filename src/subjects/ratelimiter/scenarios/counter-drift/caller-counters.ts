/** Counters that can be read: what pods or the sender report as admitted, and what Redis holds. */
import { counted } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import type { AdmittedByNode } from '../../history/counter-sample.ts';
import { type CounterSample, missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/counter-watch.ts';
import { type Counts, countsOf } from '../../interfaces/counts.ts';
import type { Toolkit } from '../../tools.ts';
import { pauseFor } from '../../waiting.ts';
import { sumOf } from '../../words.ts';
import { countsBefore, usedBefore } from '../used-before.ts';
import type { Settled } from '../workload.ts';
import { CallerWindow } from './caller-window.ts';
import type { Counters, DriftSeen } from './counters.ts';

export class CallerCounters implements Counters {
  readonly #toolkit: Toolkit;
  readonly #counts: Counts;
  readonly #caller: CallerWindow;

  /** @param storyMs what has to fit into one window; milliseconds */
  constructor(toolkit: Toolkit, storyMs: number) {
    this.#toolkit = toolkit;
    this.#counts = countsOf(toolkit);
    this.#caller = new CallerWindow(toolkit, storyMs);
  }

  get source(): Counts['source'] {
    return this.#counts.source;
  }

  async prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    const { reference } = this.#toolkit;
    if (reference) return await reference.prepare([key], signal);
    const prepared = await this.#caller.open(key, signal);
    const { stored } = await countsBefore(this.#toolkit, key, signal);
    if (stored !== 0)
      throw new Error(`Redis counts ${stored} for ${key}, which nobody has used: see redis.count`);
    return prepared;
  }

  async usedBefore(key: string, signal: AbortSignal): Promise<FaultReport | undefined> {
    return await usedBefore(this.#toolkit, key, signal);
  }

  sending(): undefined {
    this.#caller.sending();
  }

  async look(key: string, allowed: () => AdmittedByNode, signal: AbortSignal): Promise<CounterSample> {
    const sample = await this.#counts.sample(key, allowed, signal);
    // The pods themselves report the end of a window.
    if (this.source === 'Nodes' || !this.#caller.isOver(sample.endedAt)) return sample;
    const elsewhere = this.#toolkit.podClients.map(({ node }) => node.name);
    return { ...sample, stored: undefined, elsewhere };
  }

  async settle(
    { admitted: byNode, drifted, key, settleMs }: DriftSeen,
    signal: AbortSignal,
  ): Promise<Settled> {
    const pods = this.#toolkit.podClients.length;
    const admitted = sumOf(byNode.values());
    const isExact = this.source === 'Nodes';
    const deadline = performance.now() + settleMs;
    for (;;) {
      const sample = await this.look(key, () => byNode, signal);
      const { endedAt, stored = 0 } = sample;
      const missing = missingIn(sample, isExact ? pods : 0);
      const late = performance.now() >= deadline;
      const isRest = missing === undefined && stored >= totalAdmitted(sample);
      if (isRest || (late && missing === undefined)) {
        const said = `Redis holds ${counted(stored, 'count')} for the ${counted(admitted, 'request')} that were admitted`;
        const more =
          !isExact && stored > admitted ? '. It counts others, too, so some may be lost all the same' : '';
        return {
          // With others among them it is not known when all that were admitted were there again.
          ...(isRest && drifted && (isExact || stored === admitted) && { restedAt: endedAt }),
          stored,
          message: [`${said}${more}`, ...forgotten(byNode, sample)].join('; '),
        };
      }
      if (late) {
        return { message: `the count could not be read at the end, so lost counts are unknown: ${missing}` };
      }
      await pauseFor(SAMPLE_EVERY_MS, signal);
    }
  }
}

/** Pods that report less now than they had admitted: they have forgotten it, or never counted it. */
function forgotten(before: AdmittedByNode, { admitted }: CounterSample): string[] {
  return [...before].flatMap(([node, count]) => {
    const now = admitted.get(node) ?? 0;
    return now < count ? [`${node} had admitted ${count} and counts ${now} now`] : [];
  });
}
