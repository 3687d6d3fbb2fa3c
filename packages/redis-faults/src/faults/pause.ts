/**
 * The start of every fault of the store: Redis holds writes back for a while, and a Cluster on all its masters. The
 * pause ends in Redis, even if every process of the operator dies.
 */
import { formatDuration } from '@chaosdemo/settings/duration';
import { NotInChargeError } from '../client/fence.ts';
import { each, type PerServer } from '../client/per-server.ts';
import type { RedisConnections } from '../client/redis-client.ts';
import { gaveNoAnswer, RedisClientError } from '../client/redis-error.ts';
import type { ServerWriter, StoreConnections } from '../client/store-connections.ts';
import { type HeldWrite, holdFor, type PauseFinding, sendWrite, verifyPause } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import { counted, listed, messageOf } from '../text.ts';
import { pauseFor, succeeds } from '../waiting.ts';
import { type FaultMoment, type FaultReport, NotInjectedError, type RecordEvent } from './fault.ts';
import { confirmed, inconclusive, mismatch, type Proof } from './proof.ts';

/** No pause is longer, whatever the plan. */
export const MAX_PAUSE_MS = 60_000;

/**
 * A pause may outlast its announced end by this much, because the answer of Redis takes time; a longer one is released.
 */
const LATE_MS = 1000;

/** No probe could prove a shorter pause. */
const MIN_PAUSE_MS = 500;

/** When to start, in the past: at once. A late start makes it shorter. */
export interface RedisPauseOptions extends FaultMoment {
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
  /** Gets what the probe finds; left out: nobody does. */
  readonly record?: RecordEvent;
}

/** The outcome of the command. It has no `endedAt` if a pause of ours may be active. */
export interface RedisPause extends FaultReport {
  readonly probes: PerServer<PauseProbe>;
  /** It was released at once: it would have outlasted its announced end, or was not active on every server. */
  readonly released: boolean;
}

/** Shows of one server that its pause is active, and when it has ended. */
export interface PauseProbe extends ServerWriter {
  /** Held back; its answer shows that the pause has ended. */
  readonly write: HeldWrite;
}

/** Ends the connections of the probes. */
export function closeProbes(probes: readonly ServerWriter[]): void {
  for (const { writer } of probes) writer.close();
}

/**
 * Pauses the writes of Redis and proves by an independent probe that they are held back. The caller keeps
 * `probes` to observe the end, and closes them.
 *
 * @throws NotInjectedError if there is no connection or no time left
 * @example
 * const redis = new StoreConnections([target], (server) => new RedisConnections(server, 'me'));
 * await redis.takeCharge(60_000);
 * const plannedAt = Date.now();
 * const pause = await injectRedisPause(redis, { plannedAt, until: plannedAt + 10_000, usualWriteMs: 1, now: Date.now }, signal);
 */
export async function injectRedisPause(
  redis: StoreConnections,
  options: RedisPauseOptions,
  signal: AbortSignal,
): Promise<RedisPause> {
  const { now, plannedAt } = options;
  const writers = await redis
    .warmUp()
    .then(() => redis.openProbeWriters())
    .catch((error: unknown) => {
      throw new NotInjectedError(messageOf(error));
    });
  try {
    await pauseFor(plannedAt - now(), signal);
    const sent = await send(redis, options, signal);
    const probes = each(writers, (open) => ({ ...open, write: sendWrite(open.writer, now) }));
    return { ...('ms' in sent ? await prove(redis, sent, probes, options, signal) : sent), probes };
  } catch (error) {
    closeProbes(writers);
    throw error;
  }
}

/** The outcome, without what observes it. */
type Found = Omit<RedisPause, 'probes'>;

/** A pause that Redis confirmed, with its length in milliseconds. */
interface Sent {
  readonly startedAt: number;
  readonly ms: number;
}

/** @throws NotInjectedError, the reason of `signal`, or what `onSend` throws */
async function send(
  redis: StoreConnections,
  { now, onSend, until }: RedisPauseOptions,
  signal: AbortSignal,
): Promise<Sent | Found> {
  let ms = 0;
  const atSend = (): number => {
    // Computed at the moment of sending, because Redis may have to be connected again before it.
    ms = Math.min(Math.floor(until - now()), MAX_PAUSE_MS);
    if (ms < MIN_PAUSE_MS) {
      throw new NotInjectedError(`only ${Math.max(0, ms)} ms were left of the planned pause`);
    }
    signal.throwIfAborted();
    onSend?.();
    return ms;
  };
  const outcomes = await redis.pauseWrites(atSend).catch((error: unknown) => {
    signal.throwIfAborted();
    if (!(error instanceof NotInChargeError || error instanceof RedisClientError)) throw error;
    // Nor is it carried out later.
    throw new NotInjectedError(error.message);
  });
  if (outcomes.every((failure) => failure === undefined)) return { startedAt: now(), ms };
  signal.throwIfAborted();
  if (outcomes.every((failure) => failure instanceof NotInChargeError)) {
    throw new NotInjectedError(messageOf(outcomes[0]));
  }
  return await releaseAll(redis, outcomes, now);
}

/** Releases each server that is paused, or may be, because another one is not. Only pauses of this session. */
async function releaseAll(
  redis: StoreConnections,
  outcomes: PerServer<Error | undefined>,
  now: () => number,
): Promise<Found> {
  const paused = redis.servers.filter((_, i) => outcomes[i] === undefined);
  const silent = redis.servers.filter((_, i) => {
    const failure = outcomes[i];
    // After an error that Redis answered, it carries nothing out.
    return failure && !(failure instanceof NotInChargeError) && gaveNoAnswer(failure);
  });
  // Redis may still carry it out. A release that follows on the same connection then ends it at once.
  void redis.unpause(silent).catch(() => undefined);
  const release = await releaseOf(redis, paused);
  const refused = silent.length === 0;
  const why = messageOf(outcomes.find((failure) => failure !== undefined));
  const message = `CLIENT PAUSE was ${refused ? 'refused' : 'sent and got no reply'}: ${why}${release.message}`;
  return {
    ...(refused && release.confirmed && { endedAt: now() }),
    proof: refused ? 'Mismatch' : 'Inconclusive',
    message,
    evidence: [message],
    released: silent.length + paused.length > 0,
  };
}

/** Releases these, with what to add to a message. */
async function releaseOf(
  redis: StoreConnections,
  servers: readonly RedisConnections[],
): Promise<{ readonly confirmed: boolean; readonly message: string }> {
  if (servers.length === 0) return { confirmed: true, message: '' };
  const confirmed = await succeeds(redis.unpause(servers));
  const names = listed(servers.map(({ name }) => name));
  return {
    confirmed,
    message: `. The pause of ${names} ${confirmed ? 'was released' : 'was to be released, and that got no reply'}`,
  };
}

/** Watches the probe writes; releases a pause that Redis confirmed too late. @throws only the reason of `signal` */
async function prove(
  redis: StoreConnections,
  { ms, startedAt }: Sent,
  probes: PerServer<PauseProbe>,
  { plannedAt, now, onPaused, record, until, usualWriteMs }: RedisPauseOptions,
  signal: AbortSignal,
): Promise<Found> {
  const late = Math.round(startedAt + ms - until);
  if (late > LATE_MS) {
    const release = await releaseOf(redis, redis.servers);
    const message = `${redis.name} replied to CLIENT PAUSE so late that the pause would last ${late} ms longer than announced${release.message}`;
    return { startedAt, proof: 'Inconclusive', message, evidence: [message], released: release.confirmed };
  }
  onPaused?.();
  // The proof takes at most half of the pause: the rest is for the traffic.
  const holdMs = Math.min(holdFor(usualWriteMs), ms / 2);
  const finding = await verifyPause(redis, probes, holdMs, now, signal);
  if (record) recordFinding(finding, probes[0].write.sentAt, record, now());
  const { message: found, proof } = verdictOn(finding, redis.name, ms, until - plannedAt);
  // A Cluster that takes some writes shows nothing of an outage.
  const isPartial = finding.kind === 'taken' && finding.isPartial;
  const release = await releaseOf(redis, isPartial ? redis.servers : []);
  const message = `${found}${release.message}`;
  return {
    startedAt,
    ...(finding.kind === 'taken' && release.confirmed && { endedAt: finding.at }),
    proof,
    message,
    evidence: [message],
    released: isPartial && release.confirmed,
  };
}

function recordFinding(finding: PauseFinding, sentAt: number, record: RecordEvent, now: number): void {
  if (finding.kind === 'held') {
    record({ kind: 'probe', state: 'Read', at: now, tookMs: finding.slowestReadMs });
    record({ kind: 'probe', state: 'Waiting', at: sentAt + finding.heldMs, tookMs: finding.heldMs });
  } else if (finding.kind === 'taken') {
    record({ kind: 'probe', state: 'Written', at: finding.at, tookMs: finding.afterMs });
  } else record({ kind: 'probe', state: finding.state, at: now });
}

/** What the probe proves of a pause of the store `name` of `ms` milliseconds, of a fault of `plannedMs`. */
export function verdictOn(finding: PauseFinding, name: string, ms: number, plannedMs: number): Proof {
  if (finding.kind === 'held') {
    const planned = formatDuration(plannedMs);
    const reads = counted(finding.reads, 'read');
    return confirmed(
      `writes to ${name} stall for ${ms} ms of the configured ${planned}. A probe write was held back for ${Math.round(finding.heldMs)} ms, and ${reads} took at most ${finding.slowestReadMs.toFixed(1)} ms`,
    );
  }
  if (finding.kind === 'unclear') {
    return inconclusive(`Whether ${name} is paused is unclear: ${finding.reason}`);
  }
  const accepted = `${finding.name} accepted CLIENT PAUSE`;
  const after = `a write ${Math.round(finding.afterMs)} ms later`;
  return finding.afterMs >= ms - Math.min(EARLY_MS, ms / 2)
    ? inconclusive(
        `${accepted} for ${ms} ms and ${after}, when the pause had ended. The operator process was stalled, so no probe saw the pause. Give the operator more CPU, or lengthen the pause`,
      )
    : mismatch(
        `${accepted} and ${after}. Check whether a proxy replies in its place, or another client sends CLIENT UNPAUSE`,
      );
}
