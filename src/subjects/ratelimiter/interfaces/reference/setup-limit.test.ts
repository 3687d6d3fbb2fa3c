/** How a limit is removed where a node says nothing, against real servers on loopback. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LimiterClient } from './limiter-client.ts';
import { removeRateLimit } from './setup-limit.ts';

const never = new AbortController().signal;

async function nodeThat(handle: RequestListener, timeoutMs = 30_000): Promise<LimiterClient> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new LimiterClient({ name: 'rl', host: '127.0.0.1', port }, timeoutMs, 1);
  onTestFinished(async () => {
    await client.close();
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

describe('a limit is removed', () => {
  it('without waiting long for a node that says nothing once another has taken it', async () => {
    const nodes = [await nodeThat(frozen), await nodeThat(answers(200)), await nodeThat(answers(404))];
    const from = performance.now();
    expect(await removeRateLimit(nodes, 'demo-a', never)).toBe(true);
    expect(performance.now() - from).toBeLessThan(6000);
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
    const nodes = await Promise.all([0, 20, 200].map(async (ms) => await nodeThat(counts(ms))));
    expect(await removeRateLimit(nodes, 'demo-a', never)).toBe(true);
    expect(removed).toBe(3);
  });

  it.each<[string, RequestListener[], boolean | RegExp]>([
    ['where one knew it, and another did not', [answers(404), answers(200, 50)], true],
    ['where no node knew it', [answers(404), answers(404)], false],
    ['where one refuses, and another knew it', [answers(503), answers(200)], true],
    ['not where every node refuses', [answers(503), answers(503)], /answered 503/],
    ['not where there is no node', [], /there is no node/],
  ])('%s', async (_, listeners, result) => {
    const nodes = await Promise.all(listeners.map(async (one) => await nodeThat(one)));
    const removal = removeRateLimit(nodes, 'demo-a', never);
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
