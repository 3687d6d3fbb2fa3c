/**
 * Lost counts: Redis removes the counts of a demo, and on request all scripts, in one transaction or, in a Cluster, one
 * for each slot: as after a restart without persistence. Nothing stays active in Redis, so there is nothing to end.
 */
import { NotInChargeError } from '../../client/fence.ts';
import { counted, messageOf } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import { type FaultReport, type FaultTools, NotInjectedError } from '../fault.ts';
import type { FaultOptions, FaultType } from '../fault-type.ts';
import { FencedFault, type Injection } from '../fenced-fault.ts';
import { confirmed, inconclusive, type Proof, withProof } from '../proof.ts';
import { type LostCount, type ServerLoss, unlinkCounts } from './unlink-counts.ts';

/** Its report, and until when its effect is observed; milliseconds since the epoch. */
interface Observed {
  readonly report: FaultReport;
  readonly until: number;
}

export class LostCounts extends FencedFault<Observed> {
  protected override readonly command = 'unlink';
  readonly #options: Pick<FaultOptions, 'counts' | 'scripts'>;

  constructor(tools: FaultTools, options: Pick<FaultOptions, 'counts' | 'scripts'>) {
    super(tools);
    this.#options = options;
  }

  protected async check(): Promise<void> {
    const { counts, scripts } = this.#options;
    await unlinkCounts(this.tools.redis, counts(), scripts);
  }

  protected async begin({ permit, plannedAt, record, signal, until }: Injection): Promise<FaultReport> {
    const { now, redis } = this.tools;
    const { counts, scripts } = this.#options;
    await pauseFor(plannedAt - now(), signal);
    let sentAt: number | undefined;
    const onSend = (): void => {
      this.requirePermit(permit, signal);
      // Of several servers, the first may have lost its counts before the last has answered.
      sentAt ??= now();
    };
    let seen: readonly ServerLoss[];
    try {
      seen = await unlinkCounts(redis, counts(), scripts, onSend);
    } catch (error) {
      if (sentAt === undefined) throw error;
      if (error instanceof NotInChargeError) throw new NotInjectedError(error.message);
      const message = `UNLINK was sent, and whether Redis removed all counts is not known: ${messageOf(error)}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
    const lostAt = now();
    const { message, proof } = provenBy(seen, redis.name, scripts);
    const report = { startedAt: sentAt ?? lostAt, proof, message, evidence: [message] };
    const all = seen.flatMap(({ lost }) => lost).filter((one) => one.before > 0 || !one.mayBeNone);
    const gone = all.filter(isLost);
    const [keys, of, total] = [gone.length, all.length, sumOf(gone)];
    record({ kind: 'fault', step: 'CountsLost', at: lostAt, keys, of, total });
    this.active = { report, until };
    return report;
  }

  /** Waits for the time in which callers meet a Redis without their counts. */
  protected async end({ report, until }: Observed, signal: AbortSignal): Promise<FaultReport> {
    const { now } = this.tools;
    await pauseFor(until - now(), signal);
    const ended = { ...report, endedAt: now() };
    const { name } = this.tools.redis;
    // A restart would lose counts once more, so that callers get their limits again.
    const problem = await this.hasRestarted().then(
      (hasRestarted) => (hasRestarted ? `${name} was restarted since then` : undefined),
      (error: unknown) => `Whether ${name} was restarted since then is not known: ${messageOf(error)}`,
    );
    this.active = undefined;
    return problem === undefined ? ended : withProof(ended, inconclusive(problem));
  }
}

function isLost({ after, before }: LostCount): boolean {
  return before > 0 && after === 0;
}

function sumOf(lost: readonly LostCount[]): number {
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    lost.reduce((sum, { before }) => sum + before, 0),
  );
}

/** What the counts right before and right after prove, of the least certain server. Pure. */
export function provenBy(seen: readonly ServerLoss[], name: string, scripts: boolean): Proof {
  const all = seen.flatMap(({ lost }) => lost);
  const kept = seen.find(({ lost }) => lost.some((count) => count.before > 0 && !isLost(count)));
  const least = kept ?? seen.find(({ lost }) => !lost.every((one) => isLost(one) || one.mayBeNone));
  if (least || !all.some(isLost)) {
    const { lost, name: server } = least ?? { lost: all, name };
    const had = lost.filter(({ before }) => before > 0).length;
    return {
      proof: kept ? 'Mismatch' : 'Inconclusive',
      message: `${server} held a count at ${had} of ${counted(lost.length, 'key')} before, and ${lost.filter(isLost).length} of these were gone afterward. Check whether these are the keys that the pods use`,
    };
  }
  return confirmed(
    `${name} lost ${counted(all.filter(isLost).length, 'key')}, with a count of ${sumOf(all)} in all${scripts ? ', and every script' : ''}: each was more than 0 right before and 0 right after, in one transaction`,
  );
}

export const dataLoss = {
  type: 'DataLoss',
  meaning: 'data of callers of the demo is removed, once',
  parameters: ['scripts'],
  mechanisms: {
    Redis: {
      title: 'Redis loses the data of callers',
      cause: 'store-restarted',
      lasts: 'Moment',
      create: (tools, options) => new LostCounts(tools, options),
    },
  },
} as const satisfies FaultType;
