import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { podOf } from '../../../test/fixtures/subjects/http/pods.ts';
import type { HttpAnswer } from './answer.ts';
import { RequestError } from './failure.ts';
import { PodClient } from './pod-client.ts';

const never = new AbortController().signal;
const ROOT = { method: 'GET', path: '/' };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const LONG_MS = 60_000;

/** A client of a server that calls this for each request, with the number of its connection, from 1. */
async function clientOn(onRequest: (socket: Socket, connection: number) => unknown) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket);
    socket.on('data', () => onRequest(socket, connection));
  });
  const { pod } = await podOf(server);
  const client = new PodClient(pod, Date.now);
  onTestFinished(() => client.close());
  const get = async (signal = never, withinMs = LONG_MS): Promise<HttpAnswer> => {
    const { answer, failure } = await client.send(ROOT, withinMs, signal);
    if (!answer) throw new RequestError(failure);
    return answer;
  };
  return { client, get, sockets };
}

async function closed(socket: Socket | undefined): Promise<void> {
  if (socket && !socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

async function failureOf(request: Promise<unknown>): Promise<string> {
  const error: unknown = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RequestError)) throw new Error(`no RequestError: ${String(error)}`);
  return `${error.failure.code}: ${error.message}`;
}

describe('connections to a pod', () => {
  it('uses a connection again', async () => {
    const { get, sockets } = await clientOn((socket) => socket.write(OK));
    for (let i = 0; i < 5; i += 1) expect((await get()).body.toString()).toBe('ok');
    expect(sockets).toHaveLength(1);
  });

  it('are closed if they are idle for a while, also without a new request', async () => {
    const { get, sockets } = await clientOn((socket) => socket.write(OK));
    await Promise.all([get(), get()]);
    for (const socket of sockets) await closed(socket);
    expect(sockets).toHaveLength(2);
  });

  const withHeader = (header: string) => (socket: Socket) =>
    socket.write(OK.replace('\r\n\r\n', `\r\n${header}\r\n\r\n`));
  it.each([
    ['says that it closes', withHeader('connection: close')],
    ['closes', (socket: Socket) => socket.end(OK)],
    ['keeps no connection for longer than a second', withHeader('keep-alive: timeout=1')],
  ])('opens another connection if the server %s', async (_, answer) => {
    const { get, sockets } = await clientOn(answer);
    await get();
    const [first] = sockets;
    await closed(first);
    expect((await get()).status).toBe(200);
    expect(sockets).toHaveLength(2);
  });

  it.each<[string, string, string]>([
    ['informational answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'more than 4 informational'],
    ['headers without end', 'x: y\r\n', 'the head is longer than 8192 bytes'],
    ['one header without end', 'aaaaaaaaaaaaaaaa', 'the head is longer than 8192 bytes'],
    ['empty lines without end', '\r\n', 'the response does not begin with a status line'],
  ])('takes no %s, and ends the connection', async (what, piece, message) => {
    let sent = 0;
    const { get, sockets } = await clientOn((socket) => {
      const head = /^(informational|empty)/.test(what) ? '' : 'HTTP/1.1 200 OK\r\n';
      const more = (): void => {
        while (!socket.destroyed && socket.write(piece.repeat(64))) sent += 64 * piece.length;
      };
      socket.write(what.startsWith('one') ? `${head}x: ` : head);
      socket.on('drain', more);
      more();
    });
    expect(await failureOf(get())).toContain(`BAD_ANSWER: ${message}`);
    const [socket] = sockets;
    await closed(socket);
    // What fits into the buffers of two sockets, and not what can be sent until a deadline.
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  it('discards surplus bytes after an answer, and for the next request', async () => {
    const { get, sockets } = await clientOn((socket, connection) => {
      socket.write(OK.replace('ok', connection === 1 ? 'a1' : 'a2'));
    });
    expect((await get()).body.toString()).toBe('a1');
    const [first] = sockets;
    first?.write(OK.replace('ok', 'xx'));
    await closed(first);
    expect((await get()).body.toString()).toBe('a2');
  });

  it('ends a cancelled request, and opens another connection for the next', async () => {
    const arrived = Promise.withResolvers<void>();
    const { get, sockets } = await clientOn((socket, connection) => {
      if (connection === 1) arrived.resolve();
      else socket.write(OK);
    });
    const stop = new AbortController();
    const first = failureOf(get(stop.signal));
    await arrived.promise;
    stop.abort();
    expect(await first).toMatch(/^STOPPED/);
    expect((await get()).status).toBe(200);
    expect(sockets).toHaveLength(2);
  });

  it('a lost connection is RESET, and one that was never made UNREACHABLE', async () => {
    const { get } = await clientOn((socket) => socket.destroy());
    expect(await failureOf(get())).toMatch(/^RESET/);
    const client = new PodClient({ name: 'api-0', host: '127.0.0.1', port: 1 }, Date.now);
    onTestFinished(() => client.close());
    expect((await client.send(ROOT, LONG_MS, never)).failure).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/ECONNREFUSED; .*port 1: .*correct port/),
    });
  });

  it('has the headers of an answer, each as often as it was sent', async () => {
    const { get } = await clientOn((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nRateLimit: a\r\nratelimit: b\r\nRetry-After: 5\r\ncontent-length: 0\r\n\r\n',
      ),
    );
    expect((await get()).headers).toMatchObject({ ratelimit: ['a', 'b'], 'retry-after': '5' });
  });

  it('a request without an answer in time is given up with its connection', async () => {
    const { get, sockets } = await clientOn((socket, connection) => connection > 1 && socket.write(OK));
    expect(await failureOf(get(never, 20))).toMatch(/^TIMEOUT/);
    await closed(sockets[0]);
    expect((await get()).status).toBe(200);
  });

  it('ends what is open when it is closed, and sends nothing after', async () => {
    const { client, get, sockets } = await clientOn(() => undefined);
    const open = failureOf(get());
    await expect.poll(() => sockets).toHaveLength(1);
    client.close();
    expect(await open).toMatch(/^STOPPED/);
    expect(await failureOf(get())).toMatch(/^STOPPED/);
    await closed(sockets[0]);
  });
});
