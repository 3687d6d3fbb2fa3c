/** What restoring says of a failover, which it cannot undo. */
import { OwnPause } from '@chaosdemo/redis-faults';
import { storeOfFake } from '@chaosdemo/redis-faults/testing';
import { describe, expect, it } from 'vitest';
import { restore } from './restore.ts';

const CLAIM = 'abcdefgh';

async function restored({ begun = false, claimed = null as string | null, fails = false } = {}) {
  const redis = storeOfFake({
    takeCharge: async () => undefined,
    openProbeWriter: async () => ({ write: async () => 0, close: () => undefined }),
    claimed: async () => {
      if (fails) throw new Error('no answer');
      return claimed;
    },
  });
  if (begun) redis.expectFailover(async () => await Promise.reject(new Error('not yet')));
  const options = {
    redis,
    release: true,
    ownPause: new OwnPause(false),
    now: () => Date.now(),
    permit: { refusal: () => undefined },
    claims: [CLAIM],
  };
  return await restore(options, new AbortController().signal);
}

describe('restoring', () => {
  it('names a failover that an earlier process of the run claimed', async () => {
    expect(await restored({ claimed: CLAIM })).toMatchObject({
      ok: true,
      faultOver: true,
      message: expect.stringMatching(/may have begun a failover .*cannot be undone/),
    });
  });

  it.each([null, 'other'])('names none if Redis has the claim %s', async (claimed) => {
    expect((await restored({ claimed })).message).not.toContain('failover');
  });

  it('does not end a failover of this process, whatever was claimed', async () => {
    expect(await restored({ begun: true, claimed: CLAIM })).toMatchObject({
      faultOver: false,
      message: expect.stringMatching(/^Restored: .*A failover of redis-0 /),
    });
  });
});
