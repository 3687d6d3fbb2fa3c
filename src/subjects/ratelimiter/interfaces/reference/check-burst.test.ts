import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../http/burst-plan.ts';
import { ConnectionBudget } from '../../http/connection-budget.ts';
import { type CheckAnswer, readCheck } from './check-answer.ts';
import { injectBurstTraffic, resultOf } from './check-burst.ts';

const { signal } = new AbortController();

/** A limiter of one node that admits `limit` requests in all, and notes what it is asked. */
async function limiter(limit: number, warmUpStatus = 200) {
  const asked: string[] = [];
  let left = limit;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.once('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`.trim());
      const allowed = request.method === 'POST' && left-- > 0;
      const status = request.method === 'GET' ? warmUpStatus : allowed ? 200 : 429;
      const answer = { allowed, limit, windowId: 'w', windowEndsAt: 5 };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { node: { name: 'rl-0', host: '127.0.0.1', port }, asked };
}

const optionsFor = (nodes: { name: string; host: string; port: number }[], requests: number) => ({
  nodes,
  key: 'demo-a&b',
  windowId: 'w',
  requests,
  timeoutMs: 10_000,
  budget: new ConnectionBudget(100).onBehalfOf('shop'),
});

it('asks every node for the key as often as the others, and counts what they allow', async () => {
  const one = await limiter(2);
  const other = await limiter(2);
  const nodes = [one.node, { ...other.node, name: 'rl-1' }];
  const result = await injectBurstTraffic(optionsFor(nodes, 10), signal);
  expect(result).toMatchObject({
    requests: 10,
    allowed: 4,
    denied: 6,
    errors: 0,
    unanswered: 0,
    otherWindow: 0,
  });
  expect(result.firstError).toBeUndefined();
  expect([...result.sent]).toEqual([
    ['rl-0', 5],
    ['rl-1', 5],
  ]);
  expect([...result.allowedBy]).toEqual([
    ['rl-0', 2],
    ['rl-1', 2],
  ]);
  expect(result.allowedAt).toHaveLength(4);
  expect(result.allowedAt).toEqual(result.allowedAt.toSorted((a, b) => a - b));
  const times = (count: number, line: string) => Array.from({ length: count }, () => line);
  // Each connection is warmed up, those of the eight wake-up requests too, which ask the same once more.
  expect(one.asked.toSorted()).toEqual([
    ...times(21, 'GET /limit?key=demo-a%26b'),
    ...times(5, 'POST /check {"key":"demo-a&b"}'),
  ]);
});

it('is sent to a node that does not know the key yet, and not to one that fails', async () => {
  const unaware = await limiter(1, 404);
  expect((await injectBurstTraffic(optionsFor([unaware.node], 2), signal)).allowed).toBe(1);
  const failing = await limiter(1, 500);
  await expect(injectBurstTraffic(optionsFor([failing.node], 2), signal)).rejects.toThrow(
    'a connection to rl-0 did not work: GET /limit answered 500: no reason given',
  );
  expect(failing.asked.every((line) => line.startsWith('GET'))).toBe(true);
});

describe('the result of a burst', () => {
  const outcome = (endedAt: number, rest: object) =>
    ({ node: 'rl-0', sentAt: 0, endedAt, ...rest }) as Outcome<CheckAnswer>;
  const answered = (endedAt: number, allowed: boolean, windowId = 'w') =>
    outcome(endedAt, { status: allowed ? 200 : 429, answer: { allowed, windowId, windowEndsAt: 9 } });
  const failed = (endedAt: number, code: string) => outcome(endedAt, { failure: { code, message: code } });

  it('counts a request whose answer we gave up for want of room as unanswered, and as no error', () => {
    const outcomes = [failed(4, 'NO_ROOM')];
    const result = resultOf({ outcomes, startedAt: 0, endedAt: 9, sendSpanMs: 1 }, 'w');
    expect(result).toMatchObject({ errors: 0, unanswered: 1 });
    expect(result.outcomes.map(({ got }) => got)).toEqual(['Unanswered']);
  });

  it('tells apart who may have been admitted, who was not, and which error came first', () => {
    const outcomes = [
      answered(7, true),
      failed(9, 'TIMEOUT'),
      failed(4, 'RESET'),
      failed(3, 'NOT_SENT'),
      failed(5, 'BAD_ANSWER'),
      answered(6, true, 'x'),
      answered(2, true),
      answered(1, false),
    ];
    expect(resultOf({ outcomes, startedAt: 0, endedAt: 9, sendSpanMs: 1 }, 'w')).toEqual({
      requests: 8,
      allowed: 2,
      denied: 1,
      errors: 3,
      unanswered: 2,
      otherWindow: 1,
      firstError: 'rl-0: POST /check: NOT_SENT',
      startedAt: 0,
      endedAt: 9,
      sendSpanMs: 1,
      sent: new Map([['rl-0', 8]]),
      allowedBy: new Map([['rl-0', 2]]),
      allowedAt: [2, 7],
      // One never left.
      outcomes: [
        [7, 'Admitted'],
        [9, 'Unanswered'],
        [4, 'Unanswered'],
        [5, 'Failed'],
        [6, 'Failed'],
        [2, 'Admitted'],
        [1, 'Denied'],
      ].map(([endedAt, got]) => ({ node: 'rl-0', sentAt: 0, endedAt, got })),
    });
  });
});

describe('an answer to POST /check', () => {
  const answer = (status: number, body: unknown) => ({ status, body: Buffer.from(JSON.stringify(body)) });
  const good = { allowed: true, windowId: 'w', windowEndsAt: 5 };

  it('says whether the request was admitted', () => {
    expect(readCheck(answer(200, good))).toEqual(good);
    expect(readCheck(answer(429, { ...good, allowed: false }))).toMatchObject({ allowed: false });
  });

  it.each([
    [429, good, 'answered 429 with allowed true'],
    [200, { ...good, windowId: '' }, 'answered 200 with a body that is wrong at windowId'],
    [200, [], 'answered 200 with a body that is wrong at the body'],
    [503, { error: { code: 'NO_REDIS', message: 'gone' } }, 'answered 503: NO_REDIS: gone'],
    [302, undefined, 'answered 302: no reason given'],
  ])('is refused with %j %j', (status, body, message) => {
    expect(() => readCheck(answer(status, body ?? null))).toThrow(message);
  });
});
