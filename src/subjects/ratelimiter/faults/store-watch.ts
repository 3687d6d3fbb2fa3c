/** Looks at reads and writes of the store while a fault is watched: before it, while it is on, and after it. */
import type { ProbeWriter } from '../store/redis-client.ts';
import { gaveNoAnswer, RedisClientError } from '../store/redis-error.ts';
import { pauseFor } from '../waiting.ts';
import type { Toolkit } from './fault.ts';
import type { Timeline } from './timeline.ts';

/** Time between two looks, in milliseconds; a write that waits is asked for at each of them. */
const LOOK_EVERY_MS = 250;

/** A write that was sent; `took` is not there while it waits. */
interface Write {
  readonly sentAt: number;
  readonly writer: ProbeWriter;
  state: 'waits' | 'accepted' | 'failed';
}

/**
 * Notes how long reads and writes take until `signal` aborts; resolves then. A write is not given up while it waits:
 * the next one is sent when it was accepted. Failures are what it is there to see, so it never rejects.
 */
export async function watchStore(
  { now, redis }: Pick<Toolkit, 'now' | 'redis'>,
  timelines: () => readonly Timeline[],
  signal: AbortSignal,
): Promise<void> {
  const tell = (note: (timeline: Timeline) => void): void => {
    for (const timeline of timelines()) note(timeline);
  };
  let write: Write | undefined;
  let restarted = false;
  const failed = (error: unknown): void => {
    if (signal.aborted) return;
    if (!gaveNoAnswer(error)) {
      tell((timeline) => timeline.storeRefused(now(), 'a command'));
      return;
    }
    tell((timeline) => timeline.storeUnreachable(now()));
    if (restarted || !(error instanceof RedisClientError) || !error.isAnotherServer) return;
    restarted = true;
    tell((timeline) => timeline.storeRestarted(now()));
  };
  const send = (writer: ProbeWriter): Write => {
    const sent: Write = { sentAt: now(), writer, state: 'waits' };
    writer.write().then(
      () => {
        sent.state = 'accepted';
        const at = now();
        if (!signal.aborted) tell((timeline) => timeline.writeAccepted(at, at - sent.sentAt));
      },
      (error: unknown) => {
        sent.state = 'failed';
        if (signal.aborted) return;
        tell((timeline) =>
          gaveNoAnswer(error) ? timeline.connectionLost(now()) : timeline.storeRefused(now(), 'a write'),
        );
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
        tell((timeline) => timeline.readAnswered(at, tookMs));
        // Only a read that was answered meanwhile shows that it is not this process that waits for itself.
        if (write.state === 'waits' && at - sentAt > tookMs) {
          tell((timeline) => timeline.writeOutstanding(at, at - sentAt));
        }
      } catch (error) {
        failed(error);
      }
      await pauseFor(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  } finally {
    write?.writer.close();
  }
}
