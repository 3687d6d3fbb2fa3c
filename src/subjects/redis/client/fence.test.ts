import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { Fence, fenceKey, NotInChargeError } from './fence.ts';

const PAUSE = ['CLIENT', 'PAUSE', '1000', 'WRITE'] as const;

/** As much of Redis as the fence goes by: one key, transactions on each connection, and a count of pauses. */
class FakeServer {
  pauses = 0;
  #value: string | null = null;
  readonly #connections = new Set<{ watches: boolean; isVoid: boolean }>();

  connect(): Redis {
    const state = { watches: false, isVoid: false };
    this.#connections.add(state);
    let queued: string[] | undefined;
    const call = async (...words: string[]): Promise<unknown> => {
      const command = words.join(' ');
      if (words[0] === 'WATCH') state.watches = true;
      else if (words[0] === 'MULTI') queued = [];
      else if (words[0] === 'EXEC') {
        const [done, isVoid] = [queued, state.isVoid];
        queued = undefined;
        Object.assign(state, { watches: false, isVoid: false });
        if (isVoid) return null;
        this.pauses += done?.length ?? 0;
        return done?.map(() => 'OK');
      } else if (queued) {
        queued.push(command);
        return 'QUEUED';
      }
      return 'OK';
    };
    const set = async (key: string, value: string): Promise<string> => {
      expect(key).toBe(fenceKey());
      this.#value = value;
      // Also one that writes the key itself.
      for (const each of this.#connections) if (each.watches) each.isVoid = true;
      return 'OK';
    };
    const ends = Promise.withResolvers<void>();
    const redis = {
      status: 'ready',
      call,
      set,
      get: async () => this.#value,
      once: (_: 'end', listener: () => void) => void ends.promise.then(listener),
      disconnect() {
        redis.status = 'end';
        ends.resolve();
      },
    };
    return redis as unknown as Redis;
  }
}

describe('a pause', () => {
  let server: FakeServer;
  let fence: Fence;
  let control: Redis;
  beforeEach(async () => {
    server = new FakeServer();
    fence = new Fence();
    control = server.connect();
    await fence.takeCharge(server.connect(), 60_000);
  });

  const pause = async (): Promise<void> => {
    await fence.begin(control);
    await fence.carryOut(control, 'CLIENT PAUSE', [PAUSE]);
  };

  it('is carried out for who is in charge', async () => {
    await pause();
    expect(server.pauses).toBe(1);
  });

  it('is not sent by who was replaced before it began to watch', async () => {
    await new Fence().takeCharge(server.connect(), 60_000);
    await expect(pause()).rejects.toThrow(NotInChargeError);
    expect(server.pauses).toBe(0);
  });

  it('is void for who was replaced after it began to watch', async () => {
    await fence.watch(control);
    await new Fence().takeCharge(server.connect(), 60_000);
    await expect(pause()).rejects.toThrow(NotInChargeError);
    expect(server.pauses).toBe(0);
  });

  it('is void if its own session takes charge again after it began', async () => {
    await fence.begin(control);
    await fence.takeCharge(server.connect(), 60_000);
    await expect(fence.carryOut(control, 'CLIENT PAUSE', [PAUSE])).rejects.toThrow(NotInChargeError);
    expect(server.pauses).toBe(0);
  });

  it('is carried out if its own session took charge again before it', async () => {
    await fence.watch(control);
    await fence.takeCharge(server.connect(), 60_000);
    // As RedisConnections does: a connection that has ended is replaced.
    if (control.status === 'end') control = server.connect();
    await pause();
    expect(server.pauses).toBe(1);
  });
});
