import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createControl } from './control.ts';
import { proxied } from './proxy.fixture.ts';

const TOKEN = 'a-token-of-the-test';
const holder = 'an-operator-of-the-test';

async function control() {
  const { proxy, dial } = await proxied(() => undefined);
  const app = createControl(proxy, TOKEN);
  onTestFinished(() => app.close());
  const send = async (method: 'DELETE' | 'GET' | 'PUT', url: string, body?: object, token = TOKEN) => {
    const { json, statusCode } = await app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}` },
      ...(body && { payload: body }),
    });
    return { status: statusCode, body: json<Record<string, unknown>>() };
  };
  return { app, dial, proxy, send };
}

describe('the control API', () => {
  it('begins a fault for the session in charge, shows it, and ends it', async () => {
    const { dial, send } = await control();
    await dial();
    const fault = { type: 'Refuse', durationMs: 30_000, holder };
    expect(await send('PUT', '/fault', fault)).toMatchObject({
      status: 409,
      body: { message: 'another holder is in charge' },
    });
    await send('PUT', '/charge', { holder });
    const begun = await send('PUT', '/fault', fault);
    expect(begun).toMatchObject({ status: 200, body: { faults: 1, fault: { type: 'Refuse' } } });
    expect(begun.body['clients']).toHaveLength(1);
    expect(await send('PUT', '/fault', fault)).toMatchObject({
      status: 409,
      body: { message: 'a Refuse is active' },
    });
    expect((await send('GET', '/fault')).body).toMatchObject({ fault: { remainingMs: expect.any(Number) } });
    expect(await send('DELETE', `/fault?holder=${holder}`)).toMatchObject({
      status: 200,
      body: { fault: null },
    });
  });

  it('answers nothing but health without the token', async () => {
    const { app, send } = await control();
    const requests = [
      ['GET', '/fault'],
      ['GET', '/connections'],
      ['PUT', '/charge'],
      ['PUT', '/fault'],
      ['DELETE', `/fault?holder=${holder}`],
      ['GET', '/nowhere'],
    ] as const;
    for (const [method, url] of requests) {
      const body = method === 'PUT' ? { holder } : undefined;
      expect(await send(method, url, body, 'another-token')).toMatchObject({ status: 401 });
      expect((await app.inject({ method, url })).statusCode).toBe(401);
    }
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });

  it.each([
    ['no type', { durationMs: 1000, holder }],
    ['an unknown type', { type: 'Melt', durationMs: 1000, holder }],
    ['no end', { type: 'Refuse', holder }],
    ['a late end', { type: 'Refuse', durationMs: 600_001, holder }],
    ['another upstream', { type: 'Refuse', durationMs: 1000, holder, upstream: 'evil:6379' }],
    ['a latency that is none', { type: 'Latency', durationMs: 1000, holder }],
    ['a long latency', { type: 'Latency', durationMs: 1000, latencyMs: 501, holder }],
    ['a latency of another', { type: 'Blackhole', durationMs: 1000, latencyMs: 300, holder }],
    ['a large body', { type: 'Refuse', durationMs: 1000, holder: 'a'.repeat(2000) }],
  ])('rejects a fault with %s', async (_, fault) => {
    const { proxy, send } = await control();
    await send('PUT', '/charge', { holder });
    const { status } = await send('PUT', '/fault', fault);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(proxy.state).toMatchObject({ faults: 0, fault: null });
  });

  it('reaches a new client while others hold all connections with unfinished requests', async () => {
    const { app } = await control();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const held = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const socket = connect(port, '127.0.0.1');
        onTestFinished(() => void socket.destroy());
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.write('GET /healthz HTTP/1.1\r\nx-slow: ');
        return socket;
      }),
    );
    const { status } = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(status).toBe(200);
    await vi.waitFor(() => expect(held.filter(({ destroyed }) => !destroyed).length).toBeLessThan(256));
  });
});
