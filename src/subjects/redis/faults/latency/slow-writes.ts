/**
 * Slow writes: on each server, pauses follow each other without a gap, and each is half as long as the latency. A write
 * waits for the end of the active pause, and is then held back by the next, which was sent before it: half of the
 * latency to all of it. Redis ends each pause, so writes are fast again soon after the last process of the operator died.
 */
import { formatDuration, messageOf } from '../../../../api/index.ts';
import type { FaultReport } from '../../../../engine/observed.ts';
import type { Permit } from '../../../../engine/subject.ts';
import { pauseFor, within } from '../../../waiting.ts';
import { allOf, each } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { sendWrite } from '../../client/write-probe.ts';
import type { FaultListener, FaultMoment, FaultTools, RecordEvent } from '../fault.ts';
import { FencedFault, type Parts, withProof } from '../fenced-fault.ts';
import { closeProbes, MIN_PULSE_MS, type PauseProbe } from '../pause.ts';
import { type ActivePause, awaitPauseEnd, RELEASED, reportOfPause } from '../pause-report.ts';
import { type ProbeWrite, provenOnAll } from './probe-writes.ts';

/** How much later than planned the last pause may end before its end is awaited without the others; milliseconds. */
const LAST_WITHIN_MS = 1000;

/** A pause that is carried out this soon did not wait for the end of another; milliseconds. */
const QUICK_MS = 5;

export class SlowWrites extends FencedFault {
  readonly #lifetime: AbortSignal;
  readonly #latencyMs: number;
  readonly #over = new AbortController();
  /** Of the probe of each server, by its name. */
  readonly #writes = new Map<string, ProbeWrite[]>();
  #active: ActivePause | undefined;
  #pacing: Promise<unknown> = Promise.resolve();
  #probing: Promise<unknown> = Promise.resolve();
  /** Why no more pauses were sent before the planned end. */
  #failure: string | undefined;

  constructor(parts: Parts & Pick<FaultTools, 'lifetime'>, latencyMs: number) {
    super(parts);
    this.#lifetime = parts.lifetime;
    this.#latencyMs = latencyMs;
  }

  get isActive(): boolean {
    return this.#active !== undefined;
  }

  /** A write that is slow without a fault would prove nothing. */
  protected async check(): Promise<void> {
    const { redis, usualWriteMs } = this.parts;
    const usualMs = Math.ceil(usualWriteMs());
    if (usualMs < this.#latencyMs / 2) return;
    throw new Error(
      `a write to ${redis.name} took up to ${usualMs} ms without a fault, so a latency of ${formatDuration(this.#latencyMs)} could not be shown: set it to more than ${2 * usualMs} ms`,
    );
  }

  protected async begin(
    moment: FaultMoment,
    listener: FaultListener,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, ownPause, redis } = this.parts;
    const { plannedAt, until } = moment;
    // The first is as long as the latency, so that the probe sees a short one, too.
    const mostMs = this.#latencyMs;
    const onPaused = (): void => {
      const firstEnd = now() + mostMs;
      this.#pacing = allOf(each(redis.servers, (server) => this.#pace(server, firstEnd, until)));
    };
    const outcome = await this.pause(moment, { mostMs, onPaused }, permit, signal).catch((error: unknown) => {
      this.#over.abort();
      throw error;
    });
    if ('report' in outcome) {
      this.#over.abort();
      return outcome.report;
    }
    const { pause } = outcome;
    const report = reportOfPause(pause, listener.record, now());
    if (report.endedAt !== undefined) {
      this.#over.abort();
      closeProbes(pause.probes);
      ownPause.ended();
      return report;
    }
    this.#active = { report, pause, until, planned: formatDuration(until - plannedAt) };
    if (report.proof === 'Confirmed') {
      // The history has room for the writes to one server.
      const [shown] = pause.probes;
      const probing = (probe: PauseProbe): Promise<void> =>
        this.#probe(probe, probe === shown ? listener.record : undefined);
      this.#probing = allOf(each(pause.probes, probing));
    } else {
      // An unproven fault shows nothing.
      this.#over.abort();
    }
    return report;
  }

  async awaitEnd(record: RecordEvent, signal: AbortSignal): Promise<FaultReport> {
    const { now, ownPause, redis } = this.parts;
    if (!this.#active) throw new Error('no pause is active');
    const { pause, report, until } = this.#active;
    await within(this.#pacing, until - now() + LAST_WITHIN_MS, signal);
    this.#over.abort();
    await within(this.#probing, until - now() + LAST_WITHIN_MS, signal);
    // Nothing follows the last pause, so this write shows its end.
    const probes = each(pause.probes, (probe) => ({ ...probe, write: sendWrite(probe.writer, now) }));
    const last = { ...this.#active, pause: { ...pause, probes } };
    const context = {
      redis,
      now,
      record,
      runIdBefore: this.runIdBefore,
      whyEarly: () => (ownPause.released ? RELEASED : this.#failure),
    };
    const ended = await awaitPauseEnd(last, context, signal);
    if (ended.endedAt === undefined) return ended;
    this.#active = undefined;
    closeProbes(pause.probes);
    ownPause.ended();
    const span = { startedAt: report.startedAt ?? until, until };
    const { message, proof } = provenOnAll(this.#writes, this.#latencyMs, span);
    if (this.#failure === undefined) return withProof(ended, { message, proof });
    const early = `${message}. It ended before its time: ${this.#failure}`;
    return withProof(ended, { message: early, proof: 'Inconclusive' });
  }

  /** Sends pauses that follow each other, and one that ends at `firstEnd`. Never rejects. */
  async #pace(redis: RedisConnections, firstEnd: number, until: number): Promise<void> {
    const { now } = this.parts;
    const ms = Math.floor(this.#latencyMs / 2);
    let endsAt = firstEnd;
    try {
      let send = await redis.preparePause();
      while (!this.#isOver()) {
        const length = Math.min(ms, Math.floor(until - Math.max(now(), endsAt)));
        if (length < MIN_PULSE_MS) return;
        const sentAt = now();
        const carriedOut = send(length);
        // During that wait, so that the next one is sent before clients write again.
        [send] = await Promise.all([redis.preparePause(), carriedOut]);
        endsAt = now() + length;
        // A server that does not hold it back gets no more than this.
        if (now() - sentAt < QUICK_MS) await pauseFor(MIN_PULSE_MS, this.#over.signal);
      }
    } catch (error) {
      if (!this.#isOver()) this.#failure = messageOf(error);
      // A store of which only some servers are slow shows nothing.
      this.#over.abort();
    } finally {
      redis.dropPauses();
    }
  }

  /** Measures reads and writes, one after the other, until no pause follows. Never rejects. */
  async #probe({ server, write: first, writer }: PauseProbe, record?: RecordEvent): Promise<void> {
    const { now } = this.parts;
    const writes: ProbeWrite[] = [];
    this.#writes.set(server.name, writes);
    let isPaced = true;
    void this.#pacing.then(() => {
      isPaced = false;
    });
    try {
      for (let write = first; ; write = sendWrite(writer, now)) {
        const readMs = await server.read();
        const { at } = await write.taken;
        const tookMs = at - write.sentAt;
        writes.push({ at, tookMs, readMs });
        record?.({ kind: 'probe', state: 'Written', at, tookMs });
        if (!isPaced) return;
        // As a client that is not always busy: a write that is sent at once may be ahead of the next pause.
        await pauseFor(this.#latencyMs / 10, this.#over.signal);
      }
    } catch (error) {
      if (!this.#isOver()) this.#failure ??= messageOf(error);
      // Without a probe, nothing is proven.
      this.#over.abort();
    }
  }

  /** True also once this run is about to release its pause. */
  #isOver(): boolean {
    const { ownPause } = this.parts;
    if (this.#over.signal.aborted || this.#lifetime.aborted) return true;
    return ownPause.released || ownPause.state !== 'active';
  }
}
