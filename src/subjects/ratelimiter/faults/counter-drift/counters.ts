/** Where counter drift has its figures from: one for each way to read a count. */
import type { FaultReport, Prepared, RecoveryReport } from '../../../../demo/observed.ts';
import type { AdmittedByNode, CounterSample, CountSource } from '../../history/counter-sample.ts';
import type { Asked } from '../../http/node-client.ts';
import { proveWrite } from '../../store/write-probe.ts';
import type { Toolkit } from '../../tools.ts';

/** What a recovery is to look at. */
export interface DriftRecovery {
  /** Undefined after a restart: the key of the fault is not known any more. */
  readonly key: string | undefined;
  readonly drifted: boolean;
  /** The most that was seen to be admitted. */
  readonly admitted: AdmittedByNode;
  readonly writeWithinMs: number;
  readonly settleMs: number;
}

/** What a look after the fault has shown. */
export interface DriftRecovered extends Pick<RecoveryReport, 'message' | 'restedAt' | 'workedAt'> {
  /** What the store held once the counts had come to rest, or the time for it was over; undefined: not known. */
  readonly stored?: number;
}

export interface Counters {
  readonly source: CountSource;
  /** Gets a key ready. @throws an error whose message says what to do */
  prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>>;
  /** Why nothing may be injected: the key has been used. @throws if that cannot be found out */
  usedBefore(key: string, signal: AbortSignal): Promise<FaultReport | undefined>;
  /** A request to this pod is being sent; what is returned hears how it ended. */
  sending(pod: string): ((asked: Asked) => void) | undefined;
  /**
   * What was admitted first, and what was counted after that: so the difference can only be too small.
   * @param allowed what the sender was allowed so far
   * @throws only the reason of `signal`
   */
  look(key: string, allowed: () => AdmittedByNode, signal: AbortSignal): Promise<CounterSample>;
  /** @throws only the reason of `signal` */
  recover(recovery: DriftRecovery, signal: AbortSignal): Promise<DriftRecovered>;
}

/** @returns when a real write was accepted, undefined: none was within `withinMs`; and that in words */
export async function takesWritesAgain(
  { now, redis }: Pick<Toolkit, 'now' | 'redis'>,
  withinMs: number,
  signal: AbortSignal,
): Promise<{ readonly workedAt?: number; readonly message: string }> {
  let advice = 'check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE';
  const workedAt = await proveWrite(redis, withinMs, now, signal, (failure) => {
    advice = failure;
  });
  if (workedAt !== undefined) {
    return { workedAt, message: `${redis.name} takes writes again (a real one was accepted)` };
  }
  return { message: `${redis.name} took no write within ${Math.round(withinMs)} ms: ${advice}` };
}
