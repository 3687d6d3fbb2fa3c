/** Counters of a limiter behind HTTP: the sender's own count of what was admitted, and what Redis holds. */
import { counted, type Measure, messageOf } from '../../../../api/index.ts';
import type { FaultReport, RecoveryReport } from '../../../../demo/observed.ts';
import { askingNode } from '../../interfaces/http/asking-node.ts';
import { storedCount } from '../../interfaces/http/stored-count.ts';
import type { CounterSample } from '../../interfaces/reference/counter-sample.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/reference/counter-watch.ts';
import type { LimitWindow } from '../../interfaces/reference/setup-limit.ts';
import type { TrafficNode } from '../../interfaces/steady-traffic.ts';
import { gaveNoAnswer } from '../../store/redis-error.ts';
import { pauseFor } from '../../waiting.ts';
import { sumOf } from '../../words.ts';
import type { Toolkit } from '../fault.ts';
import type { Fixture } from '../fixture.ts';
import { CallerWindow } from './caller-window.ts';
import type { AdmittedByNode, Counters, DriftRecovery } from './counters.ts';
import { takesWritesAgain } from './takes-writes-again.ts';

export class CallerCounters implements Counters {
  readonly source = 'Sender';
  readonly #toolkit: Toolkit;
  readonly #caller: CallerWindow;

  /** @param storyMs what has to fit into one window; milliseconds */
  constructor(toolkit: Toolkit, storyMs: number) {
    this.#toolkit = toolkit;
    this.#caller = new CallerWindow(toolkit, storyMs);
  }

  async prepare(key: string, signal: AbortSignal): Promise<Fixture> {
    const fixture = await this.#caller.open(key, signal);
    const used = await this.#read(key);
    if (used !== 0)
      throw new Error(`Redis counts ${used} for ${key}, which nobody has used: see redis.count`);
    return fixture;
  }

  async usedBefore({ key }: LimitWindow): Promise<FaultReport | undefined> {
    const stored = await this.#read(key);
    if (stored === 0) return undefined;
    const message = `Nothing was injected: ${key} had been used before the fault (Redis counted ${stored}). See who else sends requests for keys that begin with demo-, and run again`;
    return { proof: 'Inconclusive', endedAt: this.#toolkit.now(), message, evidence: [message] };
  }

  nodes({ key }: LimitWindow): readonly TrafficNode[] {
    const { askers, callers, timeoutMs } = this.#toolkit;
    if (!callers) throw new TypeError('there are no callers');
    return askers.map((client) => {
      const { check, name } = askingNode(client, callers, () => key, timeoutMs);
      return {
        name,
        check: async (lifetime) => {
          this.#caller.sending();
          return await check(lifetime);
        },
      };
    });
  }

  async look(
    { key }: LimitWindow,
    allowed: () => AdmittedByNode,
    signal: AbortSignal,
  ): Promise<CounterSample> {
    const { askers, now } = this.#toolkit;
    const [admitted, readAt] = [allowed(), now()];
    let stored: number | undefined;
    let storeSilent = false;
    const problems: string[] = [];
    try {
      stored = await this.#read(key);
    } catch (error) {
      storeSilent = gaveNoAnswer(error);
      problems.push(messageOf(error));
    }
    signal.throwIfAborted();
    const endedAt = now();
    const over = this.#caller.isOver(endedAt);
    return {
      readAt,
      endedAt,
      admitted,
      stored: over ? undefined : stored,
      storeSilent,
      elsewhere: over ? askers.map(({ node }) => node.name) : [],
      problems,
    };
  }

  async recover(recovery: DriftRecovery, signal: AbortSignal): Promise<RecoveryReport> {
    const { admitted: byNode, settleMs, window, writeWithinMs } = recovery;
    const { message: accepted, workedAt } = await takesWritesAgain(this.#toolkit, writeWithinMs, signal);
    if (workedAt === undefined) return { measures: [], message: accepted };
    if (!window) {
      return { workedAt, measures: [], message: `${accepted}; the caller of this fault is not known` };
    }
    const admitted = sumOf(byNode.values());
    const deadline = performance.now() + settleMs;
    for (;;) {
      const sample = await this.look(window, () => byNode, signal);
      const { endedAt, problems, stored } = sample;
      const late = performance.now() >= deadline;
      if (stored !== undefined && (stored >= admitted || late)) {
        const said = `Redis holds ${counted(stored, 'count')} for the ${counted(admitted, 'request')} that were let through`;
        const more = stored > admitted ? '. It counts others, too, so some may be lost all the same' : '';
        return {
          workedAt,
          // With others among them it is not known when all that were let through were there again.
          ...(stored === admitted && recovery.drifted && { restedAt: endedAt }),
          measures: [lostCounts(admitted, stored)],
          message: `${accepted}; ${said}${more}`,
        };
      }
      if (late) {
        const why = problems[0] ?? 'the window of its caller is over';
        const message = `${accepted}; the count could not be read at the end, so it is not known whether any are lost: ${why}`;
        return { workedAt, measures: [], message };
      }
      await pauseFor(SAMPLE_EVERY_MS, signal);
    }
  }

  async #read(key: string): Promise<number> {
    return await storedCount(this.#toolkit, key);
  }
}

/**
 * What is missing of what was let through. A limiter may count what it denies, too: where counts are missing, or there
 * are more of them than were let through, more may be lost than that.
 */
export function lostCounts(admitted: number, stored: number): Measure {
  const value = Math.max(0, admitted - stored);
  return { name: 'lostCounts', value, unit: 'counts', ...(stored !== admitted && { atLeast: true }) };
}
