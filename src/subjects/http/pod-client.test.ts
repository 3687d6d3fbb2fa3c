import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { podOf } from '../../../test/fixtures/subjects/http/pods.ts';
import { PodClient } from './pod-client.ts';

const { signal } = new AbortController();
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const GET = { method: 'GET', path: '/' };

/** A node that answers each request as `answer` does, and a client of it. */
async function clientOf(answer: (socket: Socket, request: number) => void) {
  let requests = 0;
  const server = createServer((socket) => void socket.on('data', () => answer(socket, requests++)));
  const { pod, sockets } = await podOf(server);
  const client = new PodClient(pod, Date.now);
  onTestFinished(() => client.close());
  return { client, sockets };
}

describe('a client of one node', () => {
  it('a request without an answer in time is given up with its connection', async () => {
    const { client, sockets } = await clientOf((socket, i) => i > 0 && socket.write(OK));
    expect((await client.send(GET, 20, signal)).failure?.code).toBe('TIMEOUT');
    expect((await client.send(GET, 5000, signal)).answer?.status).toBe(200);
    await expect.poll(() => sockets.size).toBe(1);
  });

  it('has the headers of an answer, each as often as it was sent', async () => {
    const { client } = await clientOf((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nRateLimit: a\r\nratelimit: b\r\nRetry-After: 5\r\ncontent-length: 0\r\n\r\n',
      ),
    );
    const { answer } = await client.send(GET, 5000, signal);
    expect(answer?.headers).toMatchObject({ ratelimit: ['a', 'b'], 'retry-after': '5' });
  });

  it('ends what is open when it is closed, and sends nothing after', async () => {
    const { client, sockets } = await clientOf(() => undefined);
    const open = client.send(GET, 60_000, signal);
    await expect.poll(() => sockets.size).toBe(1);
    client.close();
    expect((await open).failure?.code).toBe('STOPPED');
    expect((await client.send(GET, 5000, signal)).failure?.code).toBe('STOPPED');
    await expect.poll(() => sockets.size).toBe(0);
  });
});
