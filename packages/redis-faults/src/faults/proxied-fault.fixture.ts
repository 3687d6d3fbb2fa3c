/** A proxy and a Redis for tests of faults: what they answer is made up by the test. */
import { onTestFinished } from 'vitest';
import type { ProxyState } from '../proxy/control-api.ts';
import type { FaultTools } from './fault.ts';
import type { StoreFault } from './fenced-fault.ts';

export const INSTANCE = '0b6f7a52-6f0e-4f6a-9d5e-2f0f9a1c3d4e';

/** A proxy by which one pod is connected; what it was made to do. */
export class FakeProxy {
  readonly name = 'proxy-0';
  readonly host = '127.0.0.1';
  /** How long each fault was to last; milliseconds. */
  readonly begun: number[] = [];
  /** How often it was taken charge of. */
  charges = 0;
  released = 0;
  releaseFailure: Error | undefined;
  /** Called when a fault begins. */
  onBegin: (ms: number) => void = () => undefined;
  failure: Error | undefined;
  /** Whose connections a fault reaches. */
  clients: readonly string[] = ['10.0.0.1:5'];
  /** How long the answer to a request for a fault takes; milliseconds. */
  lateMs = 0;
  current: ProxyState = {
    instance: INSTANCE,
    faults: 7,
    port: 1,
    fault: null,
  };

  async takeCharge(): Promise<ProxyState> {
    this.charges += 1;
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
    this.onBegin(ms);
    await new Promise((resolve) => setTimeout(resolve, this.lateMs));
    return { ...this.current, clients: this.clients };
  }
  async release(): Promise<void> {
    this.released += 1;
    if (this.releaseFailure) throw this.releaseFailure;
  }
}

/** A Redis that lists the connection of the proxy at first. */
function fakeRedis(read: () => Promise<number>, others: string) {
  let lists = 0;
  const own = 'id=1 addr=10.0.0.5:9 name= flags=N user=default';
  const server = {
    name: 'redis-0',
    takeCharge: async () => undefined,
    warmUp: async () => undefined,
    facts: async () => ({ runId: 'a'.repeat(40) }),
    read,
    clientList: async () => {
      lists += 1;
      const text = lists === 1 ? `${own}\nid=2 addr=10.0.0.9:7 name= flags=N user=default${others}` : own;
      return { text, ownAddr: '10.0.0.5:9' };
    },
  };
  return { ...server, servers: [server] };
}

/**
 * A fault that was prepared on them; it ends with its test.
 * @param read how long a direct read of Redis takes; milliseconds
 * @param others further lines of CLIENT LIST
 */
export async function preparedFault(
  make: (tools: FaultTools) => StoreFault,
  change: Partial<FakeProxy> = {},
  read: () => Promise<number> = async () => 1,
  others = '',
) {
  const proxy = Object.assign(new FakeProxy(), change);
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const tools = {
    redis: fakeRedis(read, others),
    proxy,
    now: () => Date.now(),
    target: { pods: [{ name: 'api-0', host: '10.0.0.1' }], redis: [{}] },
    checkStore: async () => ({ state: 'free' }),
    lifetime: over.signal,
  };
  const fault = make(tools as unknown as FaultTools);
  const { marker } = await fault.prepare(1000, over.signal);
  const events: unknown[] = [];
  const record = (event: unknown): void => void events.push(event);
  const inject = async (ms = 2000, refusal?: string, inMs = 0) => {
    const plannedAt = Date.now() + inMs;
    const permit = { refusal: () => refusal };
    return await fault.inject({ plannedAt, until: plannedAt + ms }, record, permit, over.signal);
  };
  const ended = async () => await fault.awaitEnd(over.signal);
  return { ended, events, fault, inject, marker, over, proxy };
}
