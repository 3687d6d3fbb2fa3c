/**
 * A rate limiter as its callers meet it, whatever it speaks: for experiments that go by what callers get, and by
 * nothing that the limiter tells of itself.
 */
import type { NodeClient } from '../http/node-client.ts';
import type { HttpRequest } from '../http/request.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Callers } from './callers.ts';
import type { UsedUp } from './use-up.ts';

/** A caller that the limiter has never seen. */
export interface NewCaller {
  readonly key: string;
  /** Requests for which it has to be allowed; default: the limit of the spec. Only a limiter that is told takes it. */
  readonly allowed?: number;
}

export interface CallerAccess {
  /** One for each node, in the same order. */
  readonly clients: readonly NodeClient[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  /** A request that needs no limiter: it distinguishes a slow pod from a slow limiter. */
  readonly control: HttpRequest;
  /** What one caller is allowed where it is introduced with nothing else. */
  readonly limit: RateLimit;
  /** Requests for which one caller stays within its limit, of `most` that such callers will make; half of what it is allowed. */
  usesOf(most: number): number;
  /**
   * Makes callers known before the first of them asks, where the limiter has to be told.
   * @returns until when it knows them, in milliseconds since the epoch by the local clock; undefined: it is told nothing
   * @throws Error that says what to do; none of them is known then
   */
  introduce(callers: Iterable<NewCaller>, signal: AbortSignal): Promise<number | undefined>;
  /** Takes that back as far as it can be. Never rejects. */
  forget(callers: Iterable<NewCaller>): Promise<void>;
  /**
   * Resolves once every node may know what the others have admitted to this caller. Not there: the sender's pace is
   * slow enough. @throws the reason of `signal`
   */
  readonly learned?: (key: string, signal: AbortSignal) => Promise<void>;
  /**
   * How long a caller that has used its limit up is rejected at the most, in milliseconds; undefined: longer than a run
   * waits, or the run itself makes the windows.
   */
  readonly returnsWithinMs?: number | undefined;
  /**
   * Why a caller that used its limit up without any fault did not get what it should; undefined: it did.
   * To be thrown: a LimitNotKeptError is a violation.
   */
  problemOf(control: UsedUp, timeoutField: string): Error | undefined;
  /** What to do where callers within their limit are turned away without any fault. */
  readonly advice: string;
}
