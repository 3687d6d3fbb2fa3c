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

/** A write to each server of a store. */
export type HeldWrites = readonly { readonly server: { readonly name: string }; readonly write: HeldWrite }[];

/** The finding of the probe. */
export type PauseFinding =
  | { kind: 'held'; heldMs: number; reads: number; slowestReadMs: number }
  /** isPartial: other servers still hold theirs back. */
  | { kind: 'taken'; name: string; afterMs: number; at: number; isPartial: boolean }
  /**
   * Unreachable: reads were not answered. Lost: the connection of a write was lost. ReadRefused: Redis answered with an
   * error.
   */
  | { kind: 'unclear'; state: 'Lost' | 'ReadRefused' | 'Unreachable'; reason: string };

const unclear = (state: 'Lost' | 'Unreachable', of: string, error: unknown): PauseFinding => {
  const isRefusal = !gaveNoAnswer(error);
  const what = isRefusal ? 'got an error' : state === 'Lost' ? 'lost with its connection' : 'got no reply';
  return {
    kind: 'unclear',
    state: isRefusal ? 'ReadRefused' : state,
    reason: `${of} ${what}: ${messageOf(error)}`,
  };
};

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

/** Watches the writes to all servers for `holdMs` while reading. @throws only the reason of `signal` */
export async function verifyPause(
  redis: { read(): Promise<number> },
  writes: HeldWrites,
  holdMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<PauseFinding> {
  let found: PauseFinding | undefined;
  const ended = writes.map(({ server: { name }, write }) =>
    write.taken.then(
      ({ at }) => {
        found ??= { kind: 'taken', name, afterMs: at - write.sentAt, at, isPartial: true };
      },
      (error: unknown) => {
        found ??= unclear('Lost', 'the probe write was', error);
      },
    ),
  );
  const end = performance.now() + holdMs;
  let [reads, slowestReadMs] = [0, 0];
  do {
    try {
      slowestReadMs = Math.max(slowestReadMs, await redis.read());
      reads += 1;
    } catch (error) {
      signal.throwIfAborted();
      found ??= unclear('Unreachable', 'reads were', error);
    }
    await within(Promise.race(ended), READ_EVERY_MS, signal);
  } while (found === undefined && performance.now() < end);
  if (found?.kind === 'taken') {
    const isPartial = (await within(Promise.all(ended), READ_EVERY_MS, signal)) === TIMED_OUT;
    return { ...found, isPartial };
  }
  const heldMs = now() - Math.max(...writes.map(({ write }) => write.sentAt));
  return found ?? { kind: 'held', heldMs, reads, slowestReadMs };
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
