import { createServer as createHttp } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { StoreConnections } from '@chaosdemo/redis-faults';
import { describe, expect, it, onTestFinished } from 'vitest';
import { podOf } from '../../../test/fixtures/subjects/http/pods.ts';
import { PodClient } from '../http/pod-client.ts';
import { checkHealth } from './http-health.ts';

const redis = { ping: async () => undefined } as unknown as StoreConnections;

async function lookAt(server: Server) {
  const { pod } = await podOf(server);
  const asker = new PodClient(pod, Date.now);
  onTestFinished(() => asker.close());
  const toolkit = {
    podClients: [asker],
    health: { path: '/healthz', timeoutMs: 2000 },
    redis,
  };
  return await checkHealth(toolkit, new AbortController().signal);
}

describe('a look at pods behind HTTP', () => {
  it.each([
    [200, 'ready'],
    [399, 'ready'],
    [400, 'unreachable'],
  ])('finds a pod that answers %i %s', async (status, state) => {
    const seen = await lookAt(createHttp((_, response) => response.writeHead(status).end()));
    expect(seen.pods).toMatchObject([{ name: 'api-0', state }]);
  });

  it('names the request, its answer, and the field to correct', async () => {
    const seen = await lookAt(createHttp((_, response) => response.writeHead(404).end('<h1>secret</h1>')));
    expect(seen.issues).toEqual([
      expect.stringMatching(/^api-0: GET \/healthz: responded with 404, .* 200 to 399: .*health\.path$/),
    ]);
  });

  it('needs no more than a connection without a path', async () => {
    const server = createServer((socket) => void socket.resume());
    const { pod } = await podOf(server);
    const asker = new PodClient(pod, Date.now);
    onTestFinished(() => asker.close());
    const look = async () => {
      const toolkit = { podClients: [asker], health: { path: undefined, timeoutMs: 2000 }, redis };
      return await checkHealth(toolkit, new AbortController().signal);
    };
    expect(await look()).toMatchObject({ pods: [{ state: 'ready' }], issues: [] });
    await new Promise((resolve) => server.close(resolve));
    expect((await look()).issues).toEqual([expect.stringMatching(/^api-0: no connection .*ECONNREFUSED/)]);
  });

  it('reports where to look for a port that speaks no HTTP', async () => {
    const seen = await lookAt(createServer((socket) => void socket.end('-ERR hello\r\n')));
    expect(seen.issues[0]).toMatch(/^api-0: GET \/healthz: .*correct port, .*http\.tls/);
  });
});
