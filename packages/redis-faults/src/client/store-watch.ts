/** Probes reads and writes of the store while a fault is watched: before, during and after it. */
import type { ProbeEvent } from '../events.ts';
import { pauseFor } from '../waiting.ts';
import { gaveNoAnswer, RedisClientError } from './redis-error.ts';
import type { StoreConnections, StoreWriter } from './store-connections.ts';

/** Interval between two probes, in milliseconds; a waiting write is checked at each of them. */
const LOOK_EVERY_MS = 250;

/** A write that was sent; `took` is missing while it waits. */
interface Write {
  readonly sentAt: number;
  readonly writer: StoreWriter;
  state: 'waits' | 'accepted' | 'failed';
}

/**
 * Records how long reads and writes take until `signal` aborts; then resolves. A write is not given up while it waits:
 * the next one is sent once it was accepted. Failures are recorded as observations, so it never rejects.
 */
export async function watchStore(
  { now, redis }: { readonly now: () => number; readonly redis: StoreConnections },
  record: (event: ProbeEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const note = (state: ProbeEvent['state'], tookMs?: number, at = now()): void =>
    record({ kind: 'probe', state, at, ...(tookMs !== undefined && { tookMs }) });
  let write: Write | undefined;
  let restarted = false;
  const noteUsage = usageOf({ now, redis }, record, signal);
  const failed = (error: unknown): void => {
    if (signal.aborted) return;
    if (!gaveNoAnswer(error)) {
      note('ReadRefused');
      return;
    }
    note('Unreachable');
    if (restarted || !(error instanceof RedisClientError) || !error.isAnotherServer) return;
    restarted = true;
    note('Restarted');
  };
  const send = (writer: StoreWriter): Write => {
    const sent: Write = { sentAt: now(), writer, state: 'waits' };
    writer.write().then(
      () => {
        sent.state = 'accepted';
        const at = now();
        if (!signal.aborted) note('Written', at - sent.sentAt, at);
      },
      (error: unknown) => {
        sent.state = 'failed';
        if (signal.aborted) return;
        note(gaveNoAnswer(error) ? 'Lost' : 'WriteRefused');
      },
    );
    return sent;
  };
  try {
    while (!signal.aborted) {
      try {
        if (write === undefined || write.state === 'failed') {
          write?.writer.close();
          write = undefined;
          write = send(await redis.openProbeWriter());
        } else if (write.state === 'accepted') write = send(write.writer);
        const { sentAt } = write;
        const tookMs = await redis.read();
        const at = now();
        note('Read', tookMs, at);
        // Only an answered read in between shows that the delay is not due to this process.
        if (write.state === 'waits' && at - sentAt > tookMs) {
          note('Waiting', at - sentAt, at);
        }
        noteUsage();
      } catch (error) {
        failed(error);
      }
      await pauseFor(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  } finally {
    write?.writer.close();
  }
}

/**
 * Records what clients take of Redis, and how many connections it has accepted since the first call. It is not awaited,
 * so that a slow answer delays no probe; without an answer, nothing is recorded.
 */
function usageOf(
  { now, redis }: Parameters<typeof watchStore>[0],
  record: (event: ProbeEvent) => void,
  signal: AbortSignal,
): () => void {
  let first: { readonly made: number; readonly store: string } | undefined;
  let isReading = false;
  return () => {
    if (isReading) return;
    isReading = true;
    const read = async (): Promise<void> => {
      const store = redis.name;
      const usage = await redis.usage();
      if (!usage) return;
      const { made } = usage;
      first ??= { made, store };
      // A restarted server counts from 0, and a new primary has a count of its own.
      if (signal.aborted || made < first.made || store !== first.store || store !== redis.name) return;
      record({ kind: 'probe', state: 'Connections', at: now(), ...usage, made: made - first.made });
    };
    void read()
      .catch(() => undefined)
      .finally(() => {
        isReading = false;
      });
  };
}
