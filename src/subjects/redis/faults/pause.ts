/**
 * The start of every fault of the store: Redis holds writes back for a while. The pause ends in Redis, even if every
 * process of the operator dies.
 */
import { counted, type FaultProof, formatDuration, messageOf } from '../../../api/index.ts';
import { pauseFor } from '../../waiting.ts';
import { NotInChargeError } from '../client/fence.ts';
import type { ProbeWriter, RedisConnections } from '../client/redis-client.ts';
import { RedisClientError } from '../client/redis-error.ts';
import { type HeldWrite, holdFor, type PauseFinding, sendWrite, verifyPause } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';

/** No pause is longer, whatever the plan. */
const MAX_PAUSE_MS = 60_000;

/**
 * A pause may outlast its announced end by this much, because the answer of Redis takes time; a longer one is released.
 */
const LATE_MS = 1000;

/** No probe could prove a shorter pause. */
const MIN_PAUSE_MS = 500;
/** The same for a pause that is one of several; milliseconds. */
export const MIN_PULSE_MS = 25;

export interface RedisPauseOptions {
  /** When to start; milliseconds since the epoch. In the past: at once. */
  readonly plannedAt: number;
  /** When it has ended automatically at the latest, absolute: a late start makes it shorter. */
  readonly until: number;
  /** Its planned length, for the message; milliseconds. */
  readonly plannedMs?: number;
  /** The pause itself is no longer than this, in milliseconds: several follow each other until `until`. */
  readonly mostMs?: number;
  /** The slowest write without a fault; milliseconds. */
  readonly usualWriteMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Called right before the command is sent: from here on a pause may be active. If it throws, nothing is sent, and the
   * error is passed on.
   */
  readonly onSend?: () => void;
  /** Called once Redis has confirmed the pause, before the probe proves it. */
  readonly onPaused?: () => void;
}

/** The outcome of the command. */
export interface RedisPause {
  /** When Redis confirmed it; missing if it did not. */
  readonly startedAt?: number;
  /** Its length; missing likewise. */
  readonly ms?: number;
  readonly proof: FaultProof;
  readonly message: string;
  readonly finding?: PauseFinding;
  /** The write that is held back; its answer shows that the pause has ended. */
  readonly write: HeldWrite;
  readonly writer: ProbeWriter;
  /** Redis answered with an error, so no pause of ours is active. */
  readonly refused: boolean;
  /** It was released at once, because it would have outlasted its announced end. */
  readonly released: boolean;
}

/** Redis was not paused, and will not be by what was sent; the message has the reason. */
export class PauseNotSentError extends Error {
  override readonly name = 'PauseNotSentError';
}

/**
 * Pauses the writes of Redis and proves by an independent probe that they are held back. The caller keeps `write` to
 * observe the end, and closes `writer`.
 *
 * @throws PauseNotSentError if there is no connection or no time left
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
  const { now, plannedAt } = options;
  const writer = await redis
    .warmUp()
    .then(() => redis.openProbeWriter())
    .catch((error: unknown) => {
      throw new PauseNotSentError(messageOf(error));
    });
  try {
    await pauseFor(plannedAt - now(), signal);
    return await pauseWith(redis, writer, options, signal);
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** As {@link injectRedisPause}, at once and with this writer. */
export async function pauseWith(
  redis: RedisConnections,
  writer: ProbeWriter,
  options: RedisPauseOptions,
  signal: AbortSignal,
): Promise<RedisPause> {
  const sent = await send(redis, options, signal);
  const write = sendWrite(writer, options.now);
  if ('failure' in sent) return { ...sent.failure, write, writer };
  return { ...(await prove(redis, sent, write, options, signal)), write, writer, refused: false };
}

/** A pause that Redis confirmed, with its length; or one that it did not. */
type Sent =
  | { readonly startedAt: number; readonly ms: number }
  | { readonly failure: Pick<RedisPause, 'message' | 'proof' | 'refused' | 'released'> };

/** @throws PauseNotSentError, the reason of `signal`, or what `onSend` throws */
async function send(
  redis: RedisConnections,
  { mostMs, now, onSend, until }: RedisPauseOptions,
  signal: AbortSignal,
): Promise<Sent> {
  let ms = 0;
  try {
    // The length is computed at the moment of sending, because Redis may have to be connected again before it.
    await redis.pauseWrites(() => {
      signal.throwIfAborted();
      const left = Math.min(Math.floor(until - now()), mostMs ?? MAX_PAUSE_MS);
      if (left < (mostMs === undefined ? MIN_PAUSE_MS : MIN_PULSE_MS)) {
        throw new PauseNotSentError(`only ${Math.max(0, left)} ms were left of the planned pause`);
      }
      onSend?.();
      ms = left;
      return ms;
    });
    return { startedAt: now(), ms };
  } catch (error) {
    signal.throwIfAborted();
    // Nor is it carried out later.
    if (error instanceof NotInChargeError) throw new PauseNotSentError(error.message);
    if (ms === 0) throw error instanceof RedisClientError ? new PauseNotSentError(error.message) : error;
    const refused = error instanceof RedisClientError && error.reply !== undefined;
    // Redis may still carry it out. A release that follows on the same connection then ends it at once.
    if (!refused) void redis.unpause().catch(() => undefined);
    const message = `CLIENT PAUSE was ${refused ? 'refused' : 'sent and not answered'}: ${messageOf(error)}`;
    return {
      failure: { proof: refused ? 'Mismatch' : 'Inconclusive', message, refused, released: !refused },
    };
  }
}

/** Watches the probe write; releases a pause that Redis confirmed too late. @throws only the reason of `signal` */
async function prove(
  redis: RedisConnections,
  { ms, startedAt }: { readonly startedAt: number; readonly ms: number },
  write: HeldWrite,
  { plannedMs, mostMs, now, onPaused, until, usualWriteMs }: RedisPauseOptions,
  signal: AbortSignal,
): Promise<Pick<RedisPause, 'finding' | 'message' | 'ms' | 'proof' | 'released' | 'startedAt'>> {
  const late = Math.round(startedAt + ms - until);
  if (late > LATE_MS) {
    const released = await redis.unpause().then(
      () => true,
      () => false,
    );
    const message = `${redis.name} answered CLIENT PAUSE so late that the pause would last ${late} ms longer than announced; it was ${released ? 'released' : 'to be released, and that was not answered'}`;
    return { startedAt, ms, proof: 'Inconclusive', message, released };
  }
  onPaused?.();
  // The proof takes at most half of the pause: the rest is for the traffic.
  const finding = await verifyPause(redis, write, Math.min(holdFor(usualWriteMs), ms / 2), now, signal);
  const verdict = verdictOn(finding, redis.name, ms, plannedMs, mostMs !== undefined);
  return { startedAt, ms, finding, released: false, ...verdict };
}

/** What the probe proves of a pause of `ms` milliseconds. Pure. */
export function verdictOn(
  finding: PauseFinding,
  name: string,
  ms: number,
  plannedMs: number | undefined,
  isOneOfSeveral = false,
): { proof: FaultProof; message: string } {
  if (finding.kind === 'held') {
    const planned = plannedMs === undefined ? '' : formatDuration(plannedMs);
    const configured = planned === '' ? '' : ` of the configured ${planned}`;
    const stall = isOneOfSeveral
      ? `are slow for ${planned}: the first pause holds them back for ${ms} ms`
      : `stall for ${ms} ms${configured}`;
    const reads = `${counted(finding.reads, 'read')} ${finding.reads === 1 ? 'was' : 'were'}`;
    return {
      proof: 'Confirmed',
      message: `writes to ${name} ${stall}. A probe write was held back for ${Math.round(finding.heldMs)} ms, and ${reads} answered within ${finding.slowestReadMs.toFixed(1)} ms`,
    };
  }
  if (finding.kind === 'unclear') {
    return { proof: 'Inconclusive', message: `Whether ${name} is paused is unclear: ${finding.reason}` };
  }
  const accepted = `${name} accepted CLIENT PAUSE`;
  const after = `a write ${Math.round(finding.afterMs)} ms later`;
  return finding.afterMs >= ms - Math.min(EARLY_MS, ms / 2)
    ? {
        proof: 'Inconclusive',
        message: `${accepted} for ${ms} ms and ${after}, when the pause had ended. The operator process was stalled, so no probe saw the pause. Give the operator more CPU, or lengthen the pause`,
      }
    : {
        proof: 'Mismatch',
        message: `${accepted} and ${after}. Check whether a proxy answers in its place, or another client sends CLIENT UNPAUSE`,
      };
}
