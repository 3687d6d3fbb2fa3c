/** How a limit is set and removed where a node says nothing, against real servers on loopback. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LimiterClient } from './limiter-client.ts';
import { removeRateLimit, setupRateLimit } from './setup-limit.ts';

const never = new AbortController().signal;

async function nodeThat(handle: RequestListener, timeoutMs = 30_000): Promise<LimiterClient> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new LimiterClient({ name: 'rl', host: '127.0.0.1', port }, timeoutMs, 1);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const answers =
  (status: number, afterMs = 0): RequestListener =>
  (_, response) =>
    void setTimeout(() => response.writeHead(status).end('{}'), afterMs);
const frozen: RequestListener = () => undefined;

const WINDOW = { limit: 10, windowId: 'w1', windowEndsAt: 0 };

/** Takes the limit, and knows it from then on; `took` counts how often. */
function taking(): { readonly handle: RequestListener; took: number } {
  const pod = {
    took: 0,
    handle: ((request, response) => {
      if (request.method === 'POST') pod.took += 1;
      response.writeHead(200).end(JSON.stringify(WINDOW));
    }) satisfies RequestListener,
  };
  return pod;
}

const setup = async (pods: readonly LimiterClient[], timeoutMs: number, signal = never) =>
  await setupRateLimit(pods, 'demo-a', 10, 60_000, timeoutMs, signal);

describe('a limit is set', () => {
  it('by the next node if the first refuses it', async () => {
    const next = taking();
    const refuses: RequestListener = (request, response) =>
      request.method === 'POST' ? response.writeHead(503).end('{}') : next.handle(request, response);
    const pods = [await nodeThat(refuses), await nodeThat(next.handle)];
    expect(await setup(pods, 30_000)).toMatchObject({ windowId: 'w1' });
    expect(next.took).toBe(1);
  });

  it('a limit is set on no other pod after one timed out: it may still set it', async () => {
    const next = taking();
    const pods = [await nodeThat(frozen, 100), await nodeThat(next.handle, 100)];
    await expect(setup(pods, 100)).rejects.toThrow(/^no pod .*demo-a .*100 ms \(rl: POST \/limit .*100 ms\)/);
    expect(next.took).toBe(0);
  });

  it('no longer once its owner has stopped, though a node does not answer', async () => {
    const stop = new AbortController();
    const received = Promise.withResolvers<void>();
    const silent = await nodeThat(() => received.resolve());
    const setting = setup([silent], 30_000, stop.signal);
    await received.promise;
    stop.abort(new Error('stopped'));
    await expect(setting).rejects.toThrow('stopped');
  });

  it('before its owner continues to remove it, by a node that answers a little later', async () => {
    const stop = new AbortController();
    let isDone = false;
    const late = await nodeThat((_, response) => {
      stop.abort(new Error('stopped'));
      setTimeout(() => {
        isDone = true;
        response.writeHead(200).end(JSON.stringify(WINDOW));
      }, 200);
    });
    await expect(setup([late], 30_000, stop.signal)).rejects.toThrow('stopped');
    expect(isDone).toBe(true);
  });
});

describe('a limit is removed', () => {
  it('although a node says nothing, once another has taken it', async () => {
    const pods = [await nodeThat(frozen), await nodeThat(answers(200)), await nodeThat(answers(404))];
    expect(await removeRateLimit(pods, 'demo-a', never)).toBe(true);
  });

  it('on every node that answers a little later', async () => {
    let removed = 0;
    const counts = (afterMs: number): RequestListener => {
      const answer = answers(200, afterMs);
      return (request, response) => {
        removed += 1;
        answer(request, response);
      };
    };
    const pods = await Promise.all([0, 20, 200].map(async (ms) => await nodeThat(counts(ms))));
    expect(await removeRateLimit(pods, 'demo-a', never)).toBe(true);
    expect(removed).toBe(3);
  });

  it.each<[string, RequestListener[], boolean | RegExp]>([
    ['where one knew it, and another did not', [answers(404), answers(200, 50)], true],
    ['where no node knew it', [answers(404), answers(404)], false],
    ['where one refuses, and another knew it', [answers(503), answers(200)], true],
    ['not where one refuses, and another does not know it', [answers(503), answers(404)], /answered 503/],
    ['not where every node refuses', [answers(503), answers(503)], /answered 503/],
    ['not where there is no node', [], /there is no pod/],
  ])('%s', async (_, listeners, result) => {
    const pods = await Promise.all(listeners.map(async (one) => await nodeThat(one)));
    const removal = removeRateLimit(pods, 'demo-a', never);
    if (result instanceof RegExp) await expect(removal).rejects.toThrow(result);
    else expect(await removal).toBe(result);
  });

  it('no longer once its owner has stopped', async () => {
    const stop = new AbortController();
    const removal = removeRateLimit([await nodeThat(frozen)], 'demo-a', stop.signal);
    stop.abort(new Error('stopped'));
    await expect(removal).rejects.toThrow('stopped');
  });
});
