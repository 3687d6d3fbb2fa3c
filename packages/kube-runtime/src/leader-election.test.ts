import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { KubeRequest } from './client.ts';
import { abortable } from './fair/abortable.ts';
import { LeaderElector, type LeaderElectorOptions } from './leader-election.ts';
import type { Lease } from './lease-lock.ts';
import { MemoryApi } from './memory-api.ts';
import { recordingLogger } from './testing.fixture.ts';

vi.setConfig({ testTimeout: 30_000 });
const eventually = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 5 });

/** An API server in memory, for one Lease. */
class Leases extends MemoryApi {
  /** It answers nothing. */
  isHung = false;
  /** In the Lease, as last read or written. */
  holder: string | undefined;
  onWrite: () => void = () => undefined;

  override async request<T = unknown>(request: KubeRequest): Promise<T> {
    if (this.isHung) {
      const late = AbortSignal.timeout(request.timeoutMs ?? 0);
      return await abortable(new Promise<never>(() => undefined), late);
    }
    const answer = await super.request<T>(request);
    this.holder = (answer as Lease).spec?.holderIdentity;
    if (request.method !== 'GET') this.onWrite();
    return answer;
  }

  /** As another process does that has led. */
  async giveUp(): Promise<void> {
    await super.request({
      method: 'PATCH',
      path: '/apis/coordination.k8s.io/v1/namespaces/default/leases/l',
      contentType: 'application/merge-patch+json',
      body: { spec: { holderIdentity: '' } },
    });
  }
}

function elect(options: Partial<LeaderElectorOptions> = {}) {
  const seen: string[] = [];
  const abort = new AbortController();
  const leases = new Leases();
  const elector = new LeaderElector({
    client: leases,
    namespace: 'default',
    name: 'l',
    identity: 'me',
    logger: recordingLogger(),
    onStartedLeading: () => seen.push('started'),
    onStoppedLeading: () => seen.push(`stopped as ${leases.holder}`),
    ...options,
  });
  const run = elector.run(abort.signal);
  onTestFinished(async () => {
    abort.abort(new Error('the test is over'));
    await run;
  });
  return { abort, elector, leases, run, seen };
}

describe('LeaderElector', () => {
  it('a leader stops in time if the API server hangs, and leads again afterwards', async () => {
    const { elector, leases, seen } = elect();
    await eventually(() => expect(elector.isLeader()).toBe(true));
    leases.isHung = true;
    await eventually(() => expect(seen).toHaveLength(2));
    expect(elector.isLeader()).toBe(false);
    leases.isHung = false;
    await eventually(() => expect(elector.isLeader()).toBe(true));
    expect(seen).toEqual(['started', 'stopped as me', 'started']);
  });

  it('knows by the clocks alone that it was frozen too long', async () => {
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

  it('does not lead between taking the lease again and the end of its earlier term', async () => {
    const elapsed = { ms: 0 };
    const ledWith: string[][] = [];
    const again: (() => void)[] = [];
    const { abort, elector, leases, seen } = elect({
      clocks: { monotonic: () => elapsed.ms, boot: () => elapsed.ms },
      sleep: async () => await new Promise<void>((resolve) => again.push(resolve)),
    });
    await eventually(() => expect(again).toHaveLength(1));
    expect([seen, elector.isLeader()]).toEqual([['started'], true]);

    /** Checks at every turn after a write, as other work in this process may. */
    const look = (turns: number): void => {
      if (elector.isLeader()) ledWith.push([...seen]);
      if (turns > 0) queueMicrotask(() => look(turns - 1));
    };
    leases.onWrite = () => look(100);
    // Frozen for so long that another led, and gave the lease up.
    elapsed.ms += 60_000;
    await leases.giveUp();
    again.shift()?.();
    await eventually(() => expect(again).toHaveLength(1));
    expect(seen).toEqual(['started', 'stopped as me', 'started']);
    expect(ledWith).not.toEqual([]);
    expect(ledWith.filter((terms) => terms.length < 3)).toEqual([]);
    expect(elector.isLeader()).toBe(true);
    abort.abort(new Error('the test is over'));
    again.shift()?.();
  });

  it('lets go when stopped: the work first, then the lease', async () => {
    const { abort, elector, leases, run, seen } = elect();
    await eventually(() => expect(elector.isLeader()).toBe(true));
    abort.abort(new Error('stop'));
    expect(await run).toBeUndefined();
    expect(seen).toEqual(['started', 'stopped as me']);
    expect(leases.holder).toBe('');
    expect(elector.isLeader()).toBe(false);
  });
});
