import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { LimiterClient, LimiterClientError } from './limiter-client.ts';

const never = new AbortController().signal;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A client of a server that answers by `handle`. */
async function clientOf(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  timeoutMs = 5000,
): Promise<LimiterClient> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new LimiterClient({ name: 'rl-0', host: '127.0.0.1', port }, timeoutMs, 2);
  cleanups.push(
    () => client.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return client;
}

const answer = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

async function failureOf(request: Promise<unknown>): Promise<LimiterClientError> {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LimiterClientError)) throw new Error(`not a LimiterClientError: ${String(error)}`);
  return error;
}

describe('LimiterClient', () => {
  it.each([
    ['without a window', answer(200, { limit: 1 })],
    ['that is no JSON', (_: IncomingMessage, response: ServerResponse) => void response.end('<html>')],
    [
      'larger than any of the interface',
      (_: IncomingMessage, response: ServerResponse) => void response.end('x'.repeat(100_000)),
    ],
  ])('refuses an answer %s', async (_, handle) => {
    const client = await clientOf(handle);
    expect(await failureOf(client.limit('k', never))).toMatchObject({ failure: 'BAD_ANSWER' });
  });

  it('reports what it expected', async () => {
    const client = await clientOf(answer(200, { hello: 'world' }));
    expect((await failureOf(client.limit('k', never))).message).toMatch(
      /^rl-0: GET \/limit answered 200, .*expected a limit .*; limit: /,
    );
  });

  it('repeats the reason of a refusal, cut to a bound', async () => {
    const client = await clientOf(
      answer(503, { error: { code: 'REDIS_UNAVAILABLE', message: 'm'.repeat(1000) } }),
    );
    const error = await failureOf(client.limit('k', never));
    expect(error).toMatchObject({ failure: 'REFUSED', status: 503 });
    expect(error.message).toMatch(/^rl-0: GET \/limit answered 503: REDIS_UNAVAILABLE: m+…$/);
    expect(error.message.length).toBeLessThan(300);
  });

  it('reads 404 as an unknown or a removed key', async () => {
    const client = await clientOf(answer(404, { error: { code: 'LIMIT_UNKNOWN', message: 'no limit' } }));
    expect(await client.limit('k', never)).toBeUndefined();
    expect(await client.counter('k', never)).toBeUndefined();
    await client.remove('k', never);
    const failure = await failureOf(client.define('k', 1, 1000, never));
    expect(failure).toMatchObject({ failure: 'REFUSED', status: 404 });
  });

  it.each([
    ['another key', 'rl:win:session:4'],
    ['a longer one', 'rl:win:demo-a-12:4'],
    ['one that ends alike', 'rl:win:x-demo-a-1:4'],
  ])('reads no hash of %s, whatever the node names', async (_, redisKey) => {
    const window = { windowId: 'w-0', windowEndsAt: 5 };
    const client = await clientOf(answer(200, { admitted: 1, redisKey, ...window }));
    const failure = await failureOf(client.counter('demo-a-1', never));
    expect(failure).toMatchObject({ failure: 'BAD_ANSWER' });
    expect(failure.message).toMatch(/^rl-0: GET \/counter .* demo-a-1/);
  });

  it.each(['rl:win:demo-a-1:4-0', 'demo-a-1', '{demo-a-1}', 'x-demo-a-1-4/demo-a-1'])(
    'reads the Redis key %s of its own key',
    async (redisKey) => {
      const counter = { admitted: 1, redisKey, windowId: 'w-0', windowEndsAt: 5 };
      expect(await (await clientOf(answer(200, counter))).counter('demo-a-1', never)).toEqual(counter);
    },
  );

  it('sends a key as it is', async () => {
    const seen: (string | undefined)[] = [];
    const client = await clientOf((request, response) => {
      seen.push(request.url);
      answer(404, {})(request, response);
    });
    await client.counter('a b&key=c', never);
    expect(seen).toEqual(['/counter?key=a%20b%26key%3Dc']);
  });

  it('silence is TIMEOUT, and a connection that was never made UNREACHABLE', async () => {
    const silent = await clientOf(() => undefined, 50);
    expect(await failureOf(silent.limit('k', never))).toMatchObject({ failure: 'TIMEOUT' });
    const dropping = await clientOf((request) => void request.socket.destroy());
    expect(await failureOf(dropping.limit('k', never))).toMatchObject({ failure: 'RESET' });
    const unreachable = new LimiterClient({ name: 'gone', host: '127.0.0.1', port: 1 }, 5000, 1);
    cleanups.push(() => unreachable.close());
    expect(await failureOf(unreachable.limit('k', never))).toMatchObject({ failure: 'UNREACHABLE' });
  });

  it('a request stops if its signal aborts', async () => {
    const silent = await clientOf(() => undefined);
    const stop = new AbortController();
    const request = silent.limit('k', stop.signal);
    stop.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
  });
});
