import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it, vi } from 'vitest';
import {
  AnswerTooLargeError,
  type ApiError,
  ApiUnreachableError,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
} from './api-error.ts';
import { KubeClient, type WatchEvent } from './client.ts';
import type { KubeObject } from './kube-types.ts';
import {
  configMap,
  sendEvent,
  sendJson,
  sendStatus,
  startWireServer,
  type WireServer,
} from './testing.fixture.ts';

let server: WireServer | undefined;

// Real sockets and processes on a busy machine: the limits are for what hangs.
vi.setConfig({ testTimeout: 30_000 });
const eventually = (assertion: () => void): Promise<void> => vi.waitFor(assertion, { timeout: 20_000 });

const path = '/api/v1/namespaces/default/configmaps';
const never = new AbortController().signal;
const watching = { path, signal: never, timeoutMs: 10_000, idleTimeoutMs: 10_000 };

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  );
}

async function collect(
  events: AsyncIterable<WatchEvent<KubeObject>>,
  into: string[] = [],
): Promise<string[]> {
  for await (const { type, object } of events) into.push(`${type} ${object.metadata.resourceVersion}`);
  return into;
}

describe('request', () => {
  it('sends method, query, body and content type, and returns the JSON of the answer', async () => {
    server = await startWireServer((_request, response) => sendJson(response, { ok: true }));
    const answer = await server.client({ userAgent: 'tester/1' }).request<{ ok: boolean }>({
      method: 'PATCH',
      path,
      query: { force: true, limit: 5, nothing: undefined },
      body: { a: 1 },
      contentType: 'application/merge-patch+json',
    });
    expect(answer).toEqual({ ok: true });
    const [request] = server.requests;
    expect(request?.method).toBe('PATCH');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ force: 'true', limit: '5' });
    expect(request?.headers['content-type']).toBe('application/merge-patch+json');
    expect(request?.headers['user-agent']).toBe('tester/1');
    expect(request?.body).toBe('{"a":1}');
  });

  it('errors of the API server have their reason, message and Retry-After', async () => {
    server = await startWireServer((request, response) => {
      const code = Number(request.query.get('code'));
      response.setHeader('retry-after', '7');
      sendStatus(response, code, `Reason${code}`, 'because');
    });
    const client = server.client();
    const refused = (code: number): Promise<unknown> =>
      failure(client.request({ method: 'GET', path, query: { code } }));
    expect(isNotFound(await refused(404))).toBe(true);
    expect(isConflict(await refused(409))).toBe(true);
    expect(isGone(await refused(410))).toBe(true);
    expect(isForbidden(await refused(403))).toBe(true);
    const error = (await refused(429)) as ApiError;
    expect(error).toMatchObject({ status: 429, reason: 'Reason429', retryAfterSeconds: 7 });
    expect(error.message).toBe(`GET ${path}: 429 Reason429: because`);
  });

  it('gives up an answer that does not come, or does not end, within the deadline', async () => {
    server = await startWireServer((request, response) => {
      if (request.query.has('begin')) response.write('{');
    });
    const client = server.client();
    for (const query of [{}, { begin: 1 }]) {
      const error = await failure(client.request({ method: 'GET', path, query, timeoutMs: 50 }));
      expect(error).toBeInstanceOf(ApiUnreachableError);
      expect(error).toMatchObject({ code: 'TIMEOUT' });
    }
    await eventually(() => expect(server?.openConnections()).toBe(0));
  });

  it('an answer over maxBytes is an error, and is not read further', async () => {
    server = await startWireServer((_request, response) => {
      response.writeHead(200);
      const write = (): void => {
        while (!response.destroyed) if (!response.write('x'.repeat(1000))) return;
      };
      response.on('drain', write);
      write();
    });
    const error = await failure(server.client().request({ method: 'GET', path, maxBytes: 5000 }));
    expect(error).toBeInstanceOf(AnswerTooLargeError);
    expect((error as Error).message).toMatch(new RegExp(`^GET ${path}: .*more than 5000 bytes$`));
    await eventually(() => expect(server?.openConnections()).toBe(0));
  });

  it('a client reports how each request was answered or failed, but none given up', async () => {
    server = await startWireServer((request, response) => {
      const code = Number(request.query.get('code'));
      if (code >= 300) sendStatus(response, code, 'Reason', 'because');
      else if (request.query.has('watch')) sendEvent(response, 'ADDED', configMap('a', 1));
      else if (code) sendJson(response, {});
    });
    const client = server.client();
    const reported: [string, number | undefined][] = [];
    client.observe((method, status) => reported.push([method, status]));
    await client.request({ method: 'GET', path, query: { code: 200 } });
    await failure(client.request({ method: 'PATCH', path, query: { code: 429 } }));
    await failure(client.request({ method: 'POST', path, timeoutMs: 50 }));
    await failure(client.request({ method: 'GET', path, query: { code: 200 }, maxBytes: 1 }));
    await failure(client.request({ method: 'PUT', path, signal: AbortSignal.timeout(50) }));
    await failure(collect(client.watch({ ...watching, query: { code: 410 } })));
    await failure(collect(client.watch({ ...watching, idleTimeoutMs: 50 })));
    await server.stop();
    await failure(collect(client.watch(watching)));
    expect(reported).toEqual([
      ['GET', 200],
      ['PATCH', 429],
      ['POST', undefined],
      ['GET', 200],
      ['GET', 410],
      ['GET', 200],
      ['GET', undefined],
    ]);
  });
});

describe('credentials', () => {
  it('sends the token of a kubeconfig, or user and password', async () => {
    server = await startWireServer((_request, response) => sendJson(response, {}));
    const cluster = server.config.getCurrentCluster();
    if (cluster === null) throw new Error('no cluster');
    for (const user of [
      { name: 'u', token: 'abc' },
      { name: 'u', username: 'me', password: 'pw' },
    ]) {
      const config = new KubeConfig();
      config.loadFromClusterAndUser(cluster, user);
      const client = new KubeClient(config);
      await client.request({ method: 'GET', path });
      await client.close();
    }
    const sent = server.requests.map((request) => request.headers.authorization);
    expect(sent).toEqual(['Bearer abc', `Basic ${Buffer.from('me:pw').toString('base64')}`]);
  });

  it('an exec plugin runs once for concurrent requests, bounded by the deadline', async () => {
    server = await startWireServer((_request, response) => sendJson(response, {}));
    const folder = await mkdtemp(join(tmpdir(), 'kube-client-'));
    const runs = join(folder, 'runs');
    const credential = JSON.stringify({ status: { token: 'from-plugin' } });
    const script = `echo run >> ${runs}; echo '${credential}'`;
    const cluster = server.config.getCurrentCluster();
    if (cluster === null) throw new Error('no cluster');
    const config = (command: string): KubeConfig => {
      const config = new KubeConfig();
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: '/bin/sh',
        args: ['-c', command],
      };
      config.loadFromClusterAndUser(cluster, { name: 'u', exec });
      return config;
    };
    const client = new KubeClient(config(script));
    await Promise.all([1, 2, 3].map(() => client.request({ method: 'GET', path })));
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(
      Array.from({ length: 3 }, () => 'Bearer from-plugin'),
    );
    expect(await readFile(runs, 'utf8')).toBe('run\n');

    const hanging = new KubeClient(config('exec sleep 2'));
    const error = await failure(hanging.request({ method: 'GET', path, timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    await Promise.all([client.close(), hanging.close()]);
    await rm(folder, { recursive: true });
  });
});

describe('watch', () => {
  it('yields events however the stream is cut into chunks, and ends with the server', async () => {
    server = await startWireServer((_request, response) => {
      const object = { ...configMap('a', 1), data: { text: 'zwölf Boxkämpfer' } };
      const bytes = Buffer.from(
        `${JSON.stringify({ type: 'ADDED', object })}\n\n${JSON.stringify({ type: 'DELETED', object: configMap('a', 2) })}\n`,
      );
      let at = 0;
      const write = (): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, (at += 7)), () => setImmediate(write));
      };
      write();
    });
    const seen: WatchEvent<KubeObject>[] = [];
    for await (const event of server.client().watch<KubeObject>(watching)) seen.push(event);
    expect(seen.map((event) => event.type)).toEqual(['ADDED', 'DELETED']);
    expect(seen[0]?.object).toMatchObject({ data: { text: 'zwölf Boxkämpfer' } });
    expect(server.requests[0]?.query.get('watch')).toBe('true');
  });

  it('throws when the connection breaks, after the whole events before', async () => {
    server = await startWireServer((_request, response) => {
      sendEvent(response, 'ADDED', configMap('a', 1));
      response.write('{"type":"ADD', () => setTimeout(() => response.destroy(), 10));
    });
    const seen: string[] = [];
    const error = await failure(collect(server.client().watch(watching), seen));
    expect(error).toBeInstanceOf(ApiUnreachableError);
    expect(seen).toEqual(['ADDED 1']);
  });

  it.each([
    ['silence', { idleTimeoutMs: 60 }, 'silent for 60 ms'],
    ['a watch that never ends', { timeoutMs: 60 }, 'not ended after 60 ms'],
  ])('cuts %s, and the connection with it', async (_name, limits, text) => {
    server = await startWireServer((_request, response) => sendEvent(response, 'ADDED', configMap('a', 1)));
    const error = await failure(collect(server.client().watch({ ...watching, ...limits })));
    expect(error).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining(text) as string });
    await eventually(() => expect(server?.openConnections()).toBe(0));
  });

  it('closes the connection when the consumer leaves or the signal aborts', async () => {
    server = await startWireServer((_request, response) => sendEvent(response, 'ADDED', configMap('a', 1)));
    const client = server.client();
    for await (const event of client.watch<KubeObject>(watching)) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await eventually(() => expect(server?.openConnections()).toBe(0));

    const abort = new AbortController();
    const reason = new Error('enough');
    const watch = failure(collect(client.watch({ ...watching, signal: abort.signal })));
    await eventually(() => expect(server?.openConnections()).toBe(1));
    abort.abort(reason);
    expect(await watch).toBe(reason);
    await eventually(() => expect(server?.openConnections()).toBe(0));
  });
});
