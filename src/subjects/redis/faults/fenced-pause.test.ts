import { describe, expect, it } from 'vitest';
import { storeOfFake } from '../../../../test/fixtures/subjects/redis/fake-store.ts';
import type { FaultTools } from './fault.ts';
import { type DuringPause, FencedPause } from './fenced-pause.ts';
import { PauseNotSentError } from './pause.ts';

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)];

/** A pause that was prepared, and the Redis that it was prepared on. */
async function prepared(during?: DuringPause) {
  const server = { runId: FIRST, answers: true };
  const redis = {
    name: 'redis-0',
    takeCharge: async () => undefined,
    warmUp: async () => undefined,
    info: async () => {
      if (!server.answers) throw new Error('no answer');
      return `run_id:${server.runId}\r\n`;
    },
  };
  const parts = {
    redis: storeOfFake(redis),
    checkStore: async () => ({ state: 'granted' }),
  } as unknown as FaultTools;
  const pause = new FencedPause(parts, during);
  await pause.prepare(1000, new AbortController().signal);
  return { pause, server };
}

describe('right before a pause', () => {
  it('goes on if the Redis that was prepared answers', async () => {
    const { pause } = await prepared();
    await expect(pause.requireSameStore()).resolves.toBeUndefined();
  });

  it.each([
    ['another Redis answers', { runId: SECOND, answers: true }],
    ['no Redis answers', { runId: FIRST, answers: false }],
  ])('nothing is sent if %s', async (_, now) => {
    const { pause, server } = await prepared();
    Object.assign(server, now);
    await expect(pause.requireSameStore()).rejects.toThrow(PauseNotSentError);
  });
});

it('is not prepared if what comes with the pause cannot be done', async () => {
  const during = { prepare: async () => Promise.reject(new Error('NOPERM')) } as unknown as DuringPause;
  await expect(prepared(during)).rejects.toThrow('NOPERM');
});
