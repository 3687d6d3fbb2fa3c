import { describe, expect, it } from 'vitest';
import { exhaustLimit } from '../exhaust-limit.ts';
import { QuotaControl } from './control-quota.ts';
import { HttpCallers } from './http-callers.ts';
import { httpInterfaceSchema } from './schema.ts';

const HEADER = 'RateLimit-Remaining';
const never = new AbortController().signal;

/** The result for a limiter over two nodes that reports `remaining` after so many admissions. */
async function concluded(limit: number, remaining: (used: number, pod: number) => string | undefined) {
  let used = 0;
  const clients = [0, 1].map((pod) => ({
    pod: { name: `api-${pod}`, host: '10.0.0.1', port: 80 },
    send: async () => {
      const admitted = used < limit;
      if (admitted) used += 1;
      const reported = admitted ? remaining(used, pod) : undefined;
      const headers = new Map(reported === undefined ? [] : [[HEADER.toLowerCase(), reported]]);
      const answer = { status: admitted ? 200 : 429, headers, body: Buffer.alloc(0) };
      return { sentAt: used, endedAt: used, answer };
    },
  }));
  const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)', remainingHeader: HEADER }));
  const control = new QuotaControl(HEADER, limit, ['api-0', 'api-1']);
  const watched = control.around(clients, callers);
  await exhaustLimit(
    {
      clients: watched,
      callers,
      key: 'demo-a',
      most: limit + 10,
      callerTimeoutMs: 100,
      windowMs: 60_000,
      withinMs: 50,
    },
    never,
  );
  return control.conclude();
}

describe('a header with the remaining quota', () => {
  it.each([
    [10, 'reported the quota with each of 10 answers, at most 0 behind'],
    [1, 'reported the quota with each of 1 answer, at most 0 behind'],
  ])('is accepted if it decreases with each of %d requests', async (limit, said) => {
    expect(await concluded(limit, (used) => String(limit - used))).toBe(`${HEADER} ${said}`);
  });

  it('is accepted if the pods sync their counts at intervals', async () => {
    const shared = await concluded(10, (used) => String(10 - Math.max(1, used - 3)));
    expect(shared).toMatch(/at most 3 behind$/);
  });

  it('is accepted if it is reported before the request is counted', async () => {
    expect(await concluded(10, (used) => String(11 - used))).toMatch(/at most 1 behind$/);
  });

  it.each([
    ['is missing now and then', (used: number) => (used === 4 ? undefined : String(10 - used)), /without/],
    ['counts up', (used: number) => String(used), /9 remain of 10|1 remain of 10, and only 1 request/],
    [
      'is a percentage',
      (used: number) => String(100 - 10 * used),
      /reported by \S+ that more remain than the 10/,
    ],
    ['is of a larger limit', (used: number) => String(1000 - used), /more remain than the 10 /],
    ['is never less', () => '10', /admitted 9 times, .*api-1 reported only 0 /],
    ['is always 0', () => '0', / 0 remain of 10, .*only 1 request/],
    ['holds two numbers', (used: number) => `${10 - used}, 99`, /holds no single whole number/],
  ])('is refused where it %s, with the field to correct', async (_, remaining, message) => {
    const refused = concluded(10, remaining);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(
      /RateLimit-Remaining does not report .*\. .*rateLimiter\.http\.remainingHeader/,
    );
  });
});
