/** Whether Redis takes writes after a pause, for limiters behind HTTP. */
import { proveWrite } from '../../store/write-probe.ts';
import type { Toolkit } from '../fault.ts';

/** @returns when a real write was accepted, undefined: none was within `withinMs`; and what that was, for people */
export async function takesWritesAgain(
  { now, redis }: Pick<Toolkit, 'now' | 'redis'>,
  withinMs: number,
  signal: AbortSignal,
): Promise<{ readonly workedAt?: number; readonly message: string }> {
  const workedAt = await proveWrite(redis, withinMs, now, signal);
  if (workedAt !== undefined) {
    return { workedAt, message: `${redis.name} takes writes again (a real one was accepted)` };
  }
  return {
    message: `${redis.name} took no write within ${Math.round(withinMs)} ms: check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE`,
  };
}
