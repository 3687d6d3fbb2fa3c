/**
 * Slow writes: on each server, pauses follow each other without a gap, and each is half as long as the latency. A write
 * waits for the end of the active pause, and is then held back by the next, which was sent before it: half of the
 * latency to all of it. Redis ends each pause, so writes are fast again soon after the last process of the operator died.
 */
import { formatDuration } from '@chaosdemo/settings/duration';
import { allOf, each, type PerServer } from '../../client/per-server.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { sendWrite } from '../../client/write-probe.ts';
import { messageOf } from '../../text.ts';
import { pauseFor, within } from '../../waiting.ts';
import type { FaultTools, RecordEvent } from '../fault.ts';
import type { DuringPause } from '../fenced-pause.ts';
import { MIN_PULSE_MS, type PauseProbe } from '../pause.ts';
import { inconclusive, type Proof } from '../proof.ts';
import { type ProbeWrite, provenOnAll } from './probe-writes.ts';

/** How much later than planned the last pause may end before its end is awaited without the others; milliseconds. */
const LAST_WITHIN_MS = 1000;

/** A pause that is carried out this soon did not wait for the end of another; milliseconds. */
const QUICK_MS = 5;

export class SlowWrites implements DuringPause {
  readonly #tools: Pick<FaultTools, 'lifetime' | 'now' | 'ownPause' | 'redis' | 'usualWriteMs'>;
  readonly #latencyMs: number;
  readonly #over = new AbortController();
  /** Of the probe of each server, by its name. */
  readonly #writes = new Map<string, ProbeWrite[]>();
  #until = 0;
  #pacing: Promise<unknown> = Promise.resolve();
  #probing: Promise<unknown> = Promise.resolve();
  /** Why no more pauses were sent before the planned end. */
  #failure: string | undefined;

  constructor(tools: FaultTools, latencyMs: number) {
    this.#tools = tools;
    this.#latencyMs = latencyMs;
  }

  /** The first is as long as the latency, so that the probe sees a short one, too. */
  get pulses(): NonNullable<DuringPause['pulses']> {
    return { firstMs: this.#latencyMs, settle: async (signal) => await this.#settle(signal) };
  }

  get whyEarly(): string | undefined {
    return this.#failure;
  }

  /** A write that is slow without a fault would prove nothing. */
  async prepare(): Promise<void> {
    const { redis, usualWriteMs } = this.#tools;
    const usualMs = Math.ceil(usualWriteMs());
    if (usualMs < this.#latencyMs / 2) return;
    throw new Error(
      `a write to ${redis.name} took up to ${usualMs} ms without a fault, so a latency of ${formatDuration(this.#latencyMs)} could not be shown: set it to more than ${2 * usualMs} ms`,
    );
  }

  begin(until: number): void {
    const { now, redis } = this.#tools;
    const firstEnd = now() + this.#latencyMs;
    this.#until = until;
    this.#pacing = allOf(each(redis.servers, (server) => this.#pace(server, firstEnd)));
  }

  stop(): void {
    this.#over.abort();
  }

  async prove(record: RecordEvent, probes: PerServer<PauseProbe>): Promise<undefined> {
    // The history has room for the writes to one server.
    const [shown] = probes;
    this.#probing = allOf(each(probes, (probe) => this.#probe(probe, probe === shown ? record : undefined)));
  }

  result(_: RecordEvent, startedAt: number): Proof {
    const proof = provenOnAll(this.#writes, this.#latencyMs, { startedAt, until: this.#until });
    if (this.#failure === undefined) return proof;
    const message = `${proof.message}. It ended before its time: ${this.#failure}`;
    return inconclusive(message);
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const withinMs = this.#until - this.#tools.now() + LAST_WITHIN_MS;
    await within(this.#pacing, withinMs, signal);
    this.stop();
    await within(this.#probing, withinMs, signal);
  }

  /** Sends pauses that follow each other, and one that ends at `firstEnd`. Never rejects. */
  async #pace(redis: RedisConnections, firstEnd: number): Promise<void> {
    const { now } = this.#tools;
    const ms = Math.floor(this.#latencyMs / 2);
    let endsAt = firstEnd;
    try {
      let send = await redis.preparePause();
      while (!this.#isOver()) {
        const length = Math.min(ms, Math.floor(this.#until - Math.max(now(), endsAt)));
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
      this.stop();
    } finally {
      redis.dropPauses();
    }
  }

  /** Measures reads and writes, one after the other, until no pause follows. Never rejects. */
  async #probe({ server, write: first, writer }: PauseProbe, record?: RecordEvent): Promise<void> {
    const { now } = this.#tools;
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
      this.stop();
    }
  }

  /** True also once this run is about to release its pause. */
  #isOver(): boolean {
    const { lifetime, ownPause } = this.#tools;
    if (this.#over.signal.aborted || lifetime.aborted) return true;
    return ownPause.released || ownPause.state !== 'active';
  }
}
