import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxyError, type ProxyState } from '../client/fault-proxy.ts';
import type { FaultTools } from './fault.ts';
import { PauseNotSentError } from './pause.ts';
import { compareFaults } from './proxied-fault.ts';
import { Refuse } from './refuse/refuse.ts';

const INSTANCE = '0b6f7a52-6f0e-4f6a-9d5e-2f0f9a1c3d4e';

it.each([
  ['NotInjected', `${INSTANCE}/3`, 3],
  ['Injected', `${INSTANCE}/3`, 4],
  ['Unknown', `${INSTANCE}/3`, 2],
  ['Unknown', `${INSTANCE.replace('0b', '1b')}/3`, 3],
  ['Unknown', `${'a'.repeat(40)}/3`, 3],
  ['Unknown', '', 3],
] as const)('is %s by the marker %j if the proxy has begun %i faults', (found, marker, faults) => {
  expect(compareFaults(marker, { instance: INSTANCE, faults })).toBe(found);
});

/** A proxy by which one pod is connected; what it was made to do. */
class FakeProxy {
  readonly name = 'proxy-0';
  readonly host = '127.0.0.1';
  readonly begun: number[] = [];
  released = 0;
  failure: Error | undefined;
  /** How long the answer to a request for a fault takes; milliseconds. */
  lateMs = 0;
  current: ProxyState = {
    instance: INSTANCE,
    faults: 7,
    port: 1,
    fault: null,
    connections: { reset: 0, stale: 0, staleOpen: 0 },
    answered: 0,
  };

  async takeCharge(): Promise<ProxyState> {
    return this.current;
  }
  async state(): Promise<ProxyState> {
    return this.current;
  }
  async connections() {
    return {
      requester: '10.0.0.5:1',
      connections: [{ client: '10.0.0.1:5', upstream: '10.0.0.9:7' }],
    };
  }
  async begin(_: string, ms: number) {
    this.begun.push(ms);
    if (this.failure) throw this.failure;
    await new Promise((resolve) => setTimeout(resolve, this.lateMs));
    return { ...this.current, clients: ['10.0.0.1:5'] };
  }
  async release(): Promise<void> {
    this.released += 1;
  }
}

/** A Redis that lists the connection of the proxy at first. */
function fakeRedis() {
  let lists = 0;
  const own = 'id=1 addr=10.0.0.5:9 name= flags=N user=default';
  const server = {
    name: 'redis-0',
    takeCharge: async () => undefined,
    warmUp: async () => undefined,
    facts: async () => ({ runId: 'a'.repeat(40) }),
    read: async () => 1,
    clientList: async () => {
      lists += 1;
      const text = lists === 1 ? `${own}\nid=2 addr=10.0.0.9:7 name= flags=N user=default` : own;
      return { text, localAddress: '10.0.0.5', localPort: 9 };
    },
  };
  return { ...server, first: server };
}

async function prepared(change: Partial<FakeProxy> = {}) {
  const proxy = Object.assign(new FakeProxy(), change);
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const tools = {
    redis: fakeRedis(),
    proxy,
    now: () => Date.now(),
    target: { pods: [{ name: 'api-0', host: '10.0.0.1' }], redis: [{}] },
    checkStore: async () => ({ state: 'free' }),
    lifetime: over.signal,
  };
  const fault = new Refuse(tools as unknown as FaultTools);
  const { marker } = await fault.prepare(1000, over.signal);
  const listener = { record: () => undefined, doubted: () => undefined };
  const inject = async (ms = 2000, refusal?: string) => {
    const plannedAt = Date.now();
    const permit = { refusal: () => refusal };
    return await fault.inject({ plannedAt, until: plannedAt + ms }, listener, permit, over.signal);
  };
  return { fault, inject, marker, proxy };
}

describe('a fault of a fault proxy', () => {
  it('is announced with the instance of the proxy and its count, and begins once', async () => {
    const { fault, inject, marker, proxy } = await prepared();
    expect(marker).toBe(`${INSTANCE}/7`);
    expect(await inject()).toMatchObject({ proof: 'Confirmed' });
    expect(proxy.begun).toHaveLength(1);
    expect(proxy.begun[0]).toBeGreaterThan(1900);
    expect(proxy.begun[0]).toBeLessThanOrEqual(2000);
    expect(fault.isActive).toBe(true);
  });

  it('does not begin if a permit is missing, or too little time is left', async () => {
    const { inject, proxy } = await prepared();
    await expect(inject(2000, 'the lock was lost')).rejects.toThrow('the lock was lost');
    await expect(inject(300)).rejects.toThrow(PauseNotSentError);
    expect(proxy.begun).toEqual([]);
  });

  it('has not begun if the proxy rejects the request', async () => {
    const { inject, proxy } = await prepared({ failure: new FaultProxyError('another is in charge', 409) });
    await expect(inject()).rejects.toThrow(PauseNotSentError);
    expect(proxy.released).toBe(0);
  });

  it('is released if the proxy does not answer: it may have begun', async () => {
    const { fault, inject, proxy } = await prepared({ failure: new FaultProxyError('no answer') });
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Inconclusive' });
    expect(report.startedAt).toBeUndefined();
    expect(proxy.released).toBe(1);
    expect(fault.isActive).toBe(false);
  });

  it('is released if the answer comes so late that it would outlast its announced end', async () => {
    const { fault, inject, proxy } = await prepared({ lateMs: 1200 });
    expect(await inject()).toMatchObject({ proof: 'Inconclusive', endedAt: expect.any(Number) });
    expect(proxy.released).toBe(1);
    expect(fault.isActive).toBe(false);
  });
});
