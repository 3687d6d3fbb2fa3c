/**
 * The fault of counter drift: Redis takes no writes for a while. It bounds
 * itself: the pause ends in Redis even if every process of ours dies.
 */
import { counted, type FaultProof, formatDuration, messageOf } from '../../../../api/index.ts';
import { EARLY_MS } from '../../history/fault-times.ts';
import { NotInChargeError } from '../../store/pause-fence.ts';
import type { ProbeWriter, RedisConnections } from '../../store/redis-client.ts';
import { RedisClientError } from '../../store/redis-error.ts';
import {
  type HeldWrite,
  holdFor,
  type PauseFinding,
  sendWrite,
  verifyPause,
} from '../../store/write-probe.ts';
import { pauseFor } from '../../waiting.ts';

/** No pause is longer, whatever is asked for. */
const MAX_PAUSE_MS = 60_000;

/** A pause may outlast what was announced by so much, for Redis's answer takes its time; a longer one is released. */
const LATE_MS = 1000;

/** A pause shorter than this could not be felt with certainty. */
const MIN_PAUSE_MS = 500;

export interface RedisPauseOptions {
  /** When to start; milliseconds since the epoch. In the past: at once. */
  readonly plannedAt: number;
  /** When it has ended by itself at the latest, absolute: a late start makes it shorter. */
  readonly until: number;
  /** How long it was to last, for the message; milliseconds. */
  readonly askedMs?: number;
  /** The slowest write that was seen without a fault; milliseconds. */
  readonly usualWriteMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Called right before the command is sent: from here on a pause may be on. Nothing is sent where it throws,
   * and what it throws is thrown on.
   */
  readonly onSend?: () => void;
}

/** What became of the pause. */
export interface RedisPause {
  /** When Redis said OK; missing when it did not. */
  readonly startedAt?: number;
  readonly proof: FaultProof;
  readonly message: string;
  readonly finding?: PauseFinding;
  /** The write that is held back; its fate tells the end of the pause. */
  readonly write: HeldWrite;
  readonly writer: ProbeWriter;
  /** Redis refused the command, so no pause of ours is on. */
  readonly refused: boolean;
  /** Its release was sent at once, since it would have outlasted what was announced. */
  readonly released: boolean;
}

/** Redis was not paused, and will not be by what was sent; the message says why. */
export class PauseNotSentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PauseNotSentError';
  }
}

/**
 * Pauses the writes of Redis and proves by an independent probe that they are
 * held back. The caller keeps `write` to learn of the end, and closes `writer`.
 *
 * @throws PauseNotSentError when there is no connection or no time left
 * @example
 * const redis = new RedisConnections(target, 'me');
 * await redis.takeCharge(60_000);
 * const pause = await injectRedisPause(redis, { plannedAt: 0, until: Date.now() + 10_000, usualWriteMs: 1, now: Date.now }, signal);
 */
export async function injectRedisPause(
  redis: RedisConnections,
  options: RedisPauseOptions,
  signal: AbortSignal,
): Promise<RedisPause> {
  const { plannedAt, until, now } = options;
  const writer = await warmUp(redis);
  // Asked at the moment of sending, since connecting again may come before it.
  const length = (): number => {
    signal.throwIfAborted();
    const ms = Math.min(Math.floor(until - now()), MAX_PAUSE_MS);
    if (ms < MIN_PAUSE_MS) {
      throw new PauseNotSentError(`only ${Math.max(0, ms)} ms were left of the planned pause`);
    }
    options.onSend?.();
    return ms;
  };
  try {
    await pauseFor(plannedAt - now(), signal);
    return await pauseAndFeel(redis, writer, length, options, signal);
  } catch (error) {
    writer.close();
    throw error;
  }
}

async function warmUp(redis: RedisConnections): Promise<ProbeWriter> {
  try {
    await redis.warmUp();
    return await redis.openProbeWriter();
  } catch (error) {
    throw new PauseNotSentError(messageOf(error));
  }
}

async function pauseAndFeel(
  redis: RedisConnections,
  writer: ProbeWriter,
  length: () => number,
  { askedMs, now, until, usualWriteMs }: RedisPauseOptions,
  signal: AbortSignal,
): Promise<RedisPause> {
  let ms = 0;
  try {
    await redis.pauseWrites(() => {
      ms = length();
      return ms;
    });
  } catch (error) {
    signal.throwIfAborted();
    // Nor is it carried out later.
    if (error instanceof NotInChargeError) throw new PauseNotSentError(error.message);
    if (ms === 0) throw error instanceof RedisClientError ? new PauseNotSentError(error.message) : error;
    const refused = error instanceof RedisClientError && error.reply !== undefined;
    // Redis may still come to it. What stands behind it on the same connection then ends it at once.
    if (!refused) void redis.unpause().catch(() => undefined);
    return {
      proof: refused ? 'Mismatch' : 'Inconclusive',
      message: `CLIENT PAUSE was ${refused ? 'refused' : 'sent and not answered'}: ${messageOf(error)}`,
      write: sendWrite(writer, now),
      writer,
      refused,
      released: !refused,
    };
  }
  const startedAt = now();
  const write = sendWrite(writer, now);
  const late = Math.round(startedAt + ms - until);
  if (late > LATE_MS) {
    const released = await redis.unpause().then(
      () => true,
      () => false,
    );
    const message = `${redis.name} answered CLIENT PAUSE so late that the pause would last ${late} ms longer than announced; it was ${released ? 'released' : 'to be released, and that was not answered'}`;
    return { startedAt, proof: 'Inconclusive', message, write, writer, refused: false, released };
  }
  // Half of the pause is the most that the proof may take: the rest is for the traffic.
  const finding = await verifyPause(redis, write, Math.min(holdFor(usualWriteMs), ms / 2), now, signal);
  return {
    startedAt,
    finding,
    write,
    writer,
    refused: false,
    released: false,
    ...verdictOn(finding, redis.name, ms, askedMs),
  };
}

/** What the probe says of a pause of `ms` milliseconds. Pure. */
export function verdictOn(
  finding: PauseFinding,
  name: string,
  ms: number,
  askedMs: number | undefined,
): { proof: FaultProof; message: string } {
  if (finding.kind === 'held') {
    return {
      proof: 'Confirmed',
      message: `writes to ${name} stall for ${ms} ms${askedMs === undefined ? '' : ` of the configured ${formatDuration(askedMs)}`}. A probe write was held back for ${Math.round(finding.heldMs)} ms, and ${counted(finding.reads, 'read')} ${finding.reads === 1 ? 'was' : 'were'} answered within ${finding.slowestReadMs.toFixed(1)} ms`,
    };
  }
  if (finding.kind === 'taken' && finding.afterMs >= ms - EARLY_MS) {
    return {
      proof: 'Inconclusive',
      message: `${name} accepted CLIENT PAUSE for ${ms} ms and a write ${Math.round(finding.afterMs)} ms later, when the pause had ended. The operator process was stalled, so no probe saw the pause. Give the operator more CPU, or lengthen the pause`,
    };
  }
  if (finding.kind === 'taken') {
    return {
      proof: 'Mismatch',
      message: `${name} accepted CLIENT PAUSE and a write ${Math.round(finding.afterMs)} ms later. Check whether a proxy answers in its place, or another client sends CLIENT UNPAUSE`,
    };
  }
  return { proof: 'Inconclusive', message: `Whether ${name} is paused is unclear: ${finding.reason}` };
}
