import { connect, type Socket } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/kit/until.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function start(
  overrides: Partial<Parameters<typeof startHttpServer>[0]> = {},
): Promise<{ server: HttpServer; get: (path: string, init?: RequestInit) => Promise<Response> }> {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    isReady: () => true,
    registry: new Registry(),
    ...overrides,
  });
  open.push(server);
  return { server, get: (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init) };
}

/** A connection that sends nothing. */
async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').resume();
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', () => resolve());
  });
  return socket;
}

// The first request loads the HTTP client, which takes seconds on a busy machine.
describe('startHttpServer', { timeout: 300_000 }, () => {
  it('is healthy even while it is not ready', async () => {
    const { get } = await start({ isReady: () => false });
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });

  it('answers 500 without the cause when a metric cannot be read', async () => {
    const registry = new Registry();
    const collect = (): void => {
      throw new Error('inner detail');
    };
    registry.registerMetric(new Gauge({ name: 'broken', help: 'h', registers: [], collect }));
    const { get } = await start({ registry });
    const answer = await get('/metrics');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('inner detail');
  });

  it('knows no other paths and no other methods', async () => {
    const { get } = await start();
    expect((await get('/')).status).toBe(404);
    expect((await get('//')).status).toBe(404);
    const answer = await get('/healthz', { method: 'POST' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('metrics are rendered once a second and once at a time, for all requests', async () => {
    const registry = new Registry();
    let made = 0;
    const atOnce = { now: 0, most: 0 };
    const gauge: Gauge = new Gauge({
      name: 'some_gauge',
      help: 'h',
      registers: [registry],
      collect: async () => {
        made += 1;
        atOnce.now += 1;
        atOnce.most = Math.max(atOnce.most, atOnce.now);
        await new Promise((resolve) => setTimeout(resolve, 50));
        atOnce.now -= 1;
        gauge.set(made);
      },
    });
    const { get } = await start({ registry });
    const startedAt = performance.now();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => (await get('/metrics')).text()),
      );
      expect(answers.every((text) => text.includes('some_gauge'))).toBe(true);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    expect(atOnce.most).toBe(1);
    expect(made).toBeLessThanOrEqual(1 + Math.ceil(seconds));
  });

  it('the kubelet gets answers while hundreds hold connections; few are kept', async () => {
    const { server, get } = await start();
    const openMore = async (count: number) =>
      await Promise.all(Array.from({ length: count }, () => opened(server.port)));
    const sockets = await openMore(500);
    const untilFew = async () =>
      await until(() => sockets.filter(({ destroyed }) => !destroyed).length <= 64, {
        what: 'few to be open',
      });
    expect((await get('/healthz')).status).toBe(200);
    await untilFew();
    // One that has begun a request and does not go on with it is no better.
    for (const socket of sockets) if (!socket.destroyed) socket.write('GET /metrics HTTP/1.1\r\n');
    sockets.push(...(await openMore(100)));
    expect((await get('/readyz')).status).toBe(200);
    await untilFew();
  });

  it('the longest idle connection is closed, and none with an active request', async () => {
    let read: (() => void) | undefined;
    const registry = new Registry();
    const collect = async (): Promise<void> => {
      await new Promise<void>((resolve) => {
        read = resolve;
      });
    };
    registry.registerMetric(new Gauge({ name: 'slow', help: 'h', registers: [], collect }));
    const { server, get } = await start({ registry });
    const scrape = get('/metrics');
    while (read === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const [first] = await Promise.all(Array.from({ length: 63 }, () => opened(server.port)));
    const gone = new Promise<void>((resolve) => first?.once('close', () => resolve()));
    await opened(server.port);
    await gone;
    read();
    expect((await scrape).status).toBe(200);
  });

  it('a server closes despite an idle connection, and accepts no new one', async () => {
    const { server, get } = await start();
    const idle = connect(server.port, '127.0.0.1');
    idle.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      idle.once('connect', resolve);
    });
    const gone = new Promise<void>((resolve) => {
      idle.once('close', () => resolve());
    });
    await open.pop()?.close(10);
    await gone;
    await expect(get('/healthz')).rejects.toThrow('fetch failed');
  });
});
