/** Observes a Redis over separate connections: how often it is paused, whether it takes writes, and what it counts. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DoneCommand, now, type SlowWrite, type TortureRecord } from '../record.ts';
import { RawRedis, type RawRedisTarget } from './raw-redis.ts';

/** A write that takes no longer is not worth a note. */
const QUICK_MS = 25;
const WRITE_EVERY_MS = 10;
const COUNT_EVERY_MS = 20;
const CONNECT_AGAIN_MS = 20;

export class RedisEye {
  readonly #target: RawRedisTarget;
  readonly #lane: number;
  readonly #record: () => TortureRecord;
  readonly #sockets = new Set<Socket>();
  readonly #running: Promise<unknown>;
  #on = true;

  constructor(target: RawRedisTarget, lane: number, record: () => TortureRecord) {
    this.#target = target;
    this.#lane = lane;
    this.#record = record;
    this.#running = Promise.all([this.#again(() => this.#count()), this.#again(() => this.#write())]);
  }

  async close(): Promise<void> {
    this.#on = false;
    for (const socket of this.#sockets) socket.destroy();
    await this.#running;
  }

  /** Redis may be killed at any time. */
  async #again(look: () => Promise<void>): Promise<void> {
    while (this.#on) {
      await look().catch(() => {});
      if (this.#on) await sleep(CONNECT_AGAIN_MS);
    }
  }

  async #open(): Promise<RawRedis> {
    const redis = await RawRedis.open(this.#target);
    this.#sockets.add(redis.socket);
    redis.socket.once('close', () => this.#sockets.delete(redis.socket));
    if (!this.#on) redis.socket.destroy();
    return redis;
  }

  /** MONITOR leaves out what administrators do, pauses among it; Redis counts them all the same. */
  async #count(): Promise<void> {
    const redis = await this.#open();
    // A restarted server counts from 0.
    let before: CommandCounts = { pause: 0, unpause: 0, kill: 0 };
    for (;;) {
      const counts = commandCounts(await infoOf(redis));
      for (const name of ['pause', 'unpause', 'kill'] as const) {
        for (let i = before[name]; i < counts[name]; i += 1) {
          this.#record().note({ kind: 'done', at: now(), lane: this.#lane, what: name });
        }
      }
      before = counts;
      await sleep(COUNT_EVERY_MS);
    }
  }

  async #write(): Promise<void> {
    const redis = await this.#open();
    for (let i = 0; ; i += 1) {
      const note: SlowWrite = { kind: 'write', at: now(), lane: this.#lane, tookMs: Infinity };
      const late = setTimeout(() => this.#record().note(note), QUICK_MS);
      try {
        const said = await redis.query(`SET rl:torture:observer ${i} PX 60000`);
        if (said !== '+OK') throw new Error(`Redis took no write of the observer: ${said}`);
      } catch (error) {
        note.lost = true;
        throw error;
      } finally {
        clearTimeout(late);
        note.tookMs = now() - note.at;
      }
      await sleep(WRITE_EVERY_MS);
    }
  }
}

/** How often a Redis has carried these out. */
type CommandCounts = Readonly<Record<DoneCommand, number>>;

/** From INFO commandstats: `cmdstat_client|pause:calls=3,...,failed_calls=1`. Pure. */
export function commandCounts(info: string): CommandCounts {
  const of = (name: string): number => {
    const [, calls, failed] =
      new RegExp(`^cmdstat_client\\|${name}:calls=(\\d+).*failed_calls=(\\d+)`, 'm').exec(info) ?? [];
    return Number(calls ?? 0) - Number(failed ?? 0);
  };
  return { pause: of('pause'), unpause: of('unpause'), kill: of('kill') };
}

/** The answer to INFO commandstats, which is one text of many lines. @throws where the connection is lost */
async function infoOf(redis: RawRedis): Promise<string> {
  const head = await redis.query('INFO commandstats');
  const length = Number(/^\$(\d+)$/.exec(head)?.[1]);
  if (!Number.isInteger(length)) throw new Error(`Redis answered ${head}`);
  let text = '';
  // Lines come without the two bytes that end them.
  for (let read = 0; read <= length; ) {
    const line = await redis.line();
    read += Buffer.byteLength(line) + 2;
    text += `${line}\n`;
  }
  return text;
}
