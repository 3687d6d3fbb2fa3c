import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './api-error.ts';
import type { KubeApi, KubeRequest } from './client.ts';
import { LeaderElector, type LeaderElectorOptions } from './leader-election.ts';
import type { Lease } from './lease-lock.ts';
import {
  recordingLogger,
  sendJson,
  sendStatus,
  startWireServer,
  type WireServer,
} from './testing.fixture.ts';

vi.setConfig({ testTimeout: 30_000 });
const eventually = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 5 });

let server: WireServer | undefined;
const stop: AbortController[] = [];
const running: Promise<void>[] = [];
afterEach(async () => {
  for (const abort of stop.splice(0)) abort.abort(new Error('the test is over'));
  await server?.stop();
  await Promise.all(running.splice(0));
});

/** Stores one lease; `hung` makes it answer nothing more. */
async function leaseServer(state: { lease?: Lease; hung?: boolean }): Promise<WireServer> {
  let version = 0;
  return startWireServer((request, response) => {
    if (state.hung === true) return;
    if (request.method === 'GET') {
      if (state.lease === undefined) sendStatus(response, 404, 'NotFound');
      else sendJson(response, state.lease);
      return;
    }
    const written = JSON.parse(request.body) as Lease;
    if (
      state.lease !== undefined &&
      written.metadata.resourceVersion !== state.lease.metadata.resourceVersion
    ) {
      sendStatus(response, 409, 'Conflict');
      return;
    }
    state.lease = {
      ...written,
      metadata: { ...written.metadata, uid: 'u', resourceVersion: String(++version) },
    };
    sendJson(response, state.lease);
  });
}

function elect(options: Partial<LeaderElectorOptions> = {}) {
  const seen: string[] = [];
  const abort = new AbortController();
  stop.push(abort);
  if (server === undefined) throw new Error('no server');
  const logger = recordingLogger();
  const elector = new LeaderElector({
    client: server.client(),
    namespace: 'default',
    name: 'l',
    identity: 'me',
    logger,
    onStartedLeading: () => seen.push('started'),
    onStoppedLeading: () => seen.push('stopped'),
    ...options,
  });
  const run = elector.run(abort.signal);
  running.push(run);
  return { elector, seen, abort, run, logger };
}

describe('LeaderElector', () => {
  it('a leader stops in time if the API server hangs, and leads again afterwards', async () => {
    const state: { lease?: Lease; hung?: boolean } = {};
    server = await leaseServer(state);
    const { elector, seen } = elect();
    await eventually(() => expect(elector.isLeader()).toBe(true));
    state.hung = true;
    await eventually(() => expect(seen).toContain('stopped'));
    expect(elector.isLeader()).toBe(false);
    expect(state.lease?.spec?.holderIdentity).toBe('me');
    state.hung = false;
    await eventually(() => expect(elector.isLeader()).toBe(true));
    expect(seen).toEqual(['started', 'stopped', 'started']);
  });

  it('knows by the clocks alone that it was frozen too long', async () => {
    server = await leaseServer({});
    const offset = { monotonic: 0, boot: 0, wall: 0 };
    const clocks = {
      monotonic: () => performance.now() + offset.monotonic,
      boot: () => performance.now() + offset.boot,
      wall: () => Date.now() + offset.wall,
    };
    const { elector, seen } = elect({ clocks, leaseDurationMs: 60_000 });
    await eventually(() => expect(elector.isLeader()).toBe(true));
    // A stopped process: the monotonic clock went on. A sleeping machine: only the one that counts sleep did.
    for (const clock of ['monotonic', 'boot'] as const) {
      offset[clock] = 40_000;
      expect(elector.isLeader()).toBe(true);
      offset[clock] = 46_000;
      expect(elector.isLeader()).toBe(false);
      offset[clock] = 0;
    }
    // The wall clock was set.
    for (const step of [-3_600_000, 3_600_000]) {
      offset.wall = step;
      expect(elector.isLeader()).toBe(true);
    }
    expect(seen).toEqual(['started']);
  });

  it('begins another term if another process has led since its last renewal', async () => {
    const state: { lease?: Lease } = {};
    server = await leaseServer(state);
    const { elector, seen } = elect();
    await eventually(() => expect(elector.isLeader()).toBe(true));
    if (state.lease === undefined) throw new Error('no lease');
    // What a process finds that was frozen while another took the lease, led, and gave it up.
    const spec = { ...state.lease.spec, holderIdentity: '' };
    state.lease = { metadata: { ...state.lease.metadata, resourceVersion: 'x1' }, spec };
    await eventually(() => expect(seen).toEqual(['started', 'stopped', 'started']));
    await eventually(() => expect(elector.isLeader()).toBe(true));
  });

  it('does not lead between taking the lease again and the end of its earlier term', async () => {
    const elapsed = { ms: 0 };
    const server: { lease?: Lease; version: number } = { version: 0 };
    const seen: string[] = [];
    const ledWith: string[][] = [];
    /** Checks at every turn after a write, as other work in this process may. */
    const look = (turns: number): void => {
      if (elector.isLeader()) ledWith.push([...seen]);
      if (turns > 0) queueMicrotask(() => look(turns - 1));
    };
    const put = (lease: Lease): Lease => {
      server.version += 1;
      server.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(server.version) } };
      return server.lease;
    };
    const request = async ({ body, method, path }: KubeRequest): Promise<unknown> => {
      const refuse = (code: number, reason: string) => new ApiError(path, code, { code, reason }, undefined);
      const sent = body as Lease | undefined;
      if (method === 'GET' || !sent) {
        if (server.lease) return server.lease;
        throw refuse(404, 'NotFound');
      }
      if (method === 'PUT' && sent.metadata.resourceVersion !== server.lease?.metadata.resourceVersion) {
        throw refuse(409, 'Conflict');
      }
      look(100);
      return put(sent);
    };
    const again: (() => void)[] = [];
    const abort = new AbortController();
    const elector = new LeaderElector({
      client: { request: request as KubeApi['request'] },
      namespace: 'default',
      name: 'l',
      identity: 'me',
      logger: recordingLogger(),
      onStartedLeading: () => seen.push('started'),
      onStoppedLeading: () => seen.push('stopped'),
      clocks: { monotonic: () => elapsed.ms, boot: () => elapsed.ms },
      sleep: async () => await new Promise<void>((resolve) => again.push(resolve)),
    });
    running.push(elector.run(abort.signal));
    await eventually(() => expect(again).toHaveLength(1));
    expect([seen, elector.isLeader()]).toEqual([['started'], true]);

    // Frozen for so long that another led, and gave the lease up.
    elapsed.ms += 60_000;
    if (server.lease) put({ ...server.lease, spec: { ...server.lease.spec, holderIdentity: '' } });
    ledWith.length = 0;
    again.shift()?.();
    await eventually(() => expect(again).toHaveLength(1));
    expect(seen).toEqual(['started', 'stopped', 'started']);
    expect(ledWith.filter((terms) => terms.length < 3)).toEqual([]);
    expect(elector.isLeader()).toBe(true);
    abort.abort(new Error('the test is over'));
    again.shift()?.();
  });

  it('lets go when stopped: the work first, then the lease', async () => {
    const state: { lease?: Lease } = {};
    server = await leaseServer(state);
    let holderAtStop: string | undefined;
    const { elector, abort, run } = elect({
      onStoppedLeading() {
        holderAtStop = state.lease?.spec?.holderIdentity;
      },
    });
    await eventually(() => expect(elector.isLeader()).toBe(true));
    abort.abort(new Error('stop'));
    expect(await run).toBeUndefined();
    expect(holderAtStop).toBe('me');
    expect(state.lease?.spec?.holderIdentity).toBe('');
    expect(elector.isLeader()).toBe(false);
  });
});
