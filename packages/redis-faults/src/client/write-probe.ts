/**
 * Verifies with a probe write that Redis really accepts no writes: the write has its own connection and has to stay
 * unanswered while reads on another are answered. The same write, once accepted, shows that the pause has ended.
 */
import { messageOf } from '../text.ts';
import { pauseFor, TIMED_OUT, within } from '../waiting.ts';
import { type Answered, momentOf } from './clock-offset.ts';
import type { ProbeWriter, RedisConnections } from './redis-client.ts';
import { gaveNoAnswer } from './redis-error.ts';
import type { StoreWriter } from './store-connections.ts';

/** A write has to be held back at least this long; a healthy one takes about a millisecond. */
const HOLD_MS = 150;
/** And at least this many times the slowest write of the baseline. */
const HOLD_FACTOR = 5;

const READ_EVERY_MS = 25;
const RECONNECT_EVERY_MS = 50;
/** How long the clocks may take to be compared, in milliseconds: the end of a pause is reported that much later. */
const COMPARE_WITHIN_MS = 1000;

/** A write that was sent and may be held back. */
export interface HeldWrite {
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** Resolves once its answer is read; rejects if its connection is lost. */
  readonly taken: Promise<Answered>;
}

/** The finding of the probe. */
export type PauseFinding =
  | { kind: 'held'; heldMs: number; reads: number; slowestReadMs: number }
  | { kind: 'taken'; afterMs: number; at: number }
  /**
   * silent: reads were not answered. lost: the connection of the write was lost. refused: Redis answered with an error.
   */
  | { kind: 'unclear'; cause: 'silent' | 'lost' | 'refused'; reason: string };

const unclear = (cause: 'silent' | 'lost' | 'refused', reason: string): PauseFinding => ({
  kind: 'unclear',
  cause,
  reason,
});

/** Sends a probe write. */
export function sendWrite(writer: ProbeWriter, now: () => number): HeldWrite {
  const sentAt = now();
  const taken = writer.write().then((redisAt) => ({ at: now(), redisAt }));
  // It is awaited later, in several places.
  taken.catch(() => undefined);
  return { sentAt, taken };
}

/** How long a write has to be held back to count, if the slowest without a fault took `usualMs`. */
export function holdFor(usualMs: number): number {
  return Math.max(HOLD_MS, Math.ceil(usualMs * HOLD_FACTOR));
}

/** Watches a write for `holdMs` while reading. @throws only the reason of `signal` */
export async function verifyPause(
  redis: RedisConnections,
  write: HeldWrite,
  holdMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<PauseFinding> {
  let outcome: PauseFinding | undefined;
  const ended = write.taken.then(
    ({ at }) => {
      outcome ??= { kind: 'taken', afterMs: at - write.sentAt, at };
    },
    (error: unknown) => {
      outcome ??= gaveNoAnswer(error)
        ? unclear('lost', `the connection of the probe write was lost: ${messageOf(error)}`)
        : unclear('refused', `the probe write was answered with an error: ${messageOf(error)}`);
    },
  );
  const end = performance.now() + holdMs;
  let reads = 0;
  let slowestReadMs = 0;
  do {
    try {
      slowestReadMs = Math.max(slowestReadMs, await redis.read());
      reads += 1;
    } catch (error) {
      signal.throwIfAborted();
      return gaveNoAnswer(error)
        ? unclear('silent', `reads were not answered: ${messageOf(error)}`)
        : unclear('refused', `reads were answered with an error: ${messageOf(error)}`);
    }
    await within(ended, READ_EVERY_MS, signal);
  } while (outcome === undefined && performance.now() < end);
  return outcome ?? { kind: 'held', heldMs: now() - write.sentAt, reads, slowestReadMs };
}

/** When writes were accepted again. */
export interface PauseEnd {
  readonly at: number;
  /**
   * The connection of the held write was lost, and a later write on a new one was accepted: the end was no later than
   * `at`.
   */
  readonly byLaterWrite: boolean;
}

/**
 * Waits until `write` is accepted, or, once its connection is lost, until a new write is. Undefined if that has not
 * happened within `deadlineMs`.
 * @throws only the reason of `signal`
 */
export async function waitForPauseEnd(
  redis: RedisConnections,
  write: HeldWrite,
  deadlineMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<PauseEnd | undefined> {
  const deadline = performance.now() + deadlineMs;
  try {
    const taken = await within(write.taken, deadlineMs, signal);
    if (taken === TIMED_OUT) return undefined;
    const at = await momentOf(redis, taken, write.sentAt, now, COMPARE_WITHIN_MS, signal);
    return { at, byLaterWrite: false };
  } catch {
    signal.throwIfAborted();
  }
  const left = deadline - performance.now();
  const at = await proveWrite(redis, left, now, signal);
  return at === undefined ? undefined : { at, byLaterWrite: true };
}

/**
 * Writes until Redis accepts it, on new connections as long as connections are lost. Resolves to when it was accepted;
 * undefined if no write was within `deadlineMs`.
 * @param tell called with each error
 * @throws only the reason of `signal`
 */
export async function proveWrite(
  redis: { openProbeWriter(): Promise<StoreWriter> },
  deadlineMs: number,
  now: () => number,
  signal: AbortSignal,
  tell: (problem: string) => void = () => undefined,
): Promise<number | undefined> {
  const deadline = performance.now() + deadlineMs;
  do {
    let writer: StoreWriter | undefined;
    try {
      writer = await redis.openProbeWriter();
      const taken = await within(writer.write(), deadline - performance.now(), signal);
      return taken === TIMED_OUT ? undefined : now();
    } catch (error) {
      signal.throwIfAborted();
      tell(messageOf(error));
      await pauseFor(RECONNECT_EVERY_MS, signal);
    } finally {
      writer?.close();
    }
  } while (performance.now() < deadline);
  return undefined;
}
