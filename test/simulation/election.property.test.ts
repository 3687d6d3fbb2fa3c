/** The timing of the leader election, by its real code in fake time: who may lead when, and how long no process does. */

import type { KubeApi, KubeRequest, Lease } from '@chaosdemo/kube-runtime';
import { ApiError, ApiUnreachableError, ELECTION_DEFAULTS, LeaderElector } from '@chaosdemo/kube-runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { ProcessClock } from './process-clock.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const forever = new AbortController().signal;

/** Nothing is answered in between, and what has come is carried out at its end. */
interface Stall {
  readonly from: number;
  readonly to: number;
}

/** One Lease on an API server that takes its time. */
class LeaseServer {
  readonly clock = new FakeClock();
  stall: Stall = { from: -1, to: -1 };
  /** What comes in this time is lost with its connection: it is never carried out, nor answered. */
  lost: Stall = { from: -1, to: -1 };
  /** There and back, in milliseconds. */
  latencyMs = 5;
  #lease: Lease | undefined;
  #version = 0;

  clientOf(process: ProcessClock): Pick<KubeApi, 'request'> {
    const request = async (call: KubeRequest): Promise<unknown> => {
      const timeout = this.clock.sleep(call.timeoutMs ?? 0, forever).then(() => {
        throw new ApiUnreachableError(call.path, 'TIMEOUT', 'no answer in time');
      });
      return await process.live(Promise.race([this.#answer(call), timeout]));
    };
    return { request: request as KubeApi['request'] };
  }

  async #answer(call: KubeRequest): Promise<unknown> {
    const half = this.latencyMs / 2;
    await this.clock.sleep(half, forever);
    const { from, to } = this.stall;
    const now = this.clock.monotonic();
    if (now >= this.lost.from && now < this.lost.to) return await new Promise(() => undefined);
    if (now >= from && now < to) await this.clock.sleep(to - now, forever);
    const answer = this.#carryOut(call);
    await this.clock.sleep(half, forever);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  #carryOut({ body, method, path }: KubeRequest): Lease | Error {
    const refuse = (code: number, reason: string) => new ApiError(path, code, { code, reason }, undefined);
    const sent = body as Lease | undefined;
    if (method === 'GET') return this.#lease ?? refuse(404, 'NotFound');
    if (method === 'POST' && this.#lease) return refuse(409, 'AlreadyExists');
    if (method === 'PUT' && sent?.metadata.resourceVersion !== String(this.#version)) {
      return refuse(409, 'Conflict');
    }
    this.#version += 1;
    const metadata = { ...sent?.metadata, name: 'l', uid: 'u', resourceVersion: String(this.#version) };
    this.#lease = { ...sent, metadata };
    return this.#lease;
  }
}

/** One process that takes part; its clock may run at another rate. */
function join(server: LeaseServer, identity: string, rate = 1) {
  const clock = new ProcessClock(server.clock);
  const terms: { from: number; to?: number }[] = [];
  const now = () => server.clock.monotonic();
  const elector = new LeaderElector({
    client: server.clientOf(clock),
    namespace: 'n',
    name: 'l',
    identity,
    logger: silent,
    onStartedLeading: () => terms.push({ from: now() }),
    onStoppedLeading() {
      const last = terms.at(-1);
      if (last) last.to = now();
    },
    clocks: { monotonic: () => now() * rate, boot: () => now() * rate, wall: () => server.clock.now() },
    sleep: (ms, signal) => clock.sleep(ms / rate, signal),
  });
  void elector.run(forever);
  return { clock, elector, terms };
}

const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = ELECTION_DEFAULTS;
const phase = fc.double({ min: 0, max: 2000, noNaN: true });
const latency = fc.integer({ min: 1, max: 60 });

describe('the leader election at its default settings', () => {
  it('a standby leads within 5 s of the death of the leader, at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(phase, phase, latency, async (joinsAfter, diesAfter, latencyMs) => {
        const server = new LeaseServer();
        server.latencyMs = latencyMs;
        const leader = join(server, 'a');
        await server.clock.advance(500 + joinsAfter);
        const standby = join(server, 'b');
        await server.clock.advance(1000 + diesAfter);
        leader.clock.kill();
        const diedAt = server.clock.monotonic();
        await server.clock.advance(6000);
        const took = (standby.terms[0]?.from ?? Infinity) - diedAt;
        expect(took).toBeLessThanOrEqual(leaseDurationMs + retryPeriodMs + 3 * latencyMs + 1);
        // The renewal that was the last may have been sent a moment before.
        expect(took).toBeGreaterThan(renewDeadlineMs - latencyMs);
      }),
      { numRuns: 200 },
    );
  });

  it('a leader survives an API server that hangs for 2 s, from any moment', async () => {
    await fc.assert(
      fc.asyncProperty(phase, latency, async (from, latencyMs) => {
        const server = new LeaseServer();
        server.latencyMs = latencyMs;
        const leader = join(server, 'a');
        const standby = join(server, 'b');
        await server.clock.advance(1000);
        const [leads, follows] = leader.terms.length > 0 ? [leader, standby] : [standby, leader];
        server.stall = { from: 1000 + from, to: 3000 + from };
        for (let ms = 0; ms < 8000; ms += 50) {
          await server.clock.advance(50);
          expect(leads.elector.isLeader()).toBe(true);
        }
        expect([leads.terms.length, follows.terms.length]).toEqual([1, 0]);
      }),
      { numRuns: 100 },
    );
  });

  it('a leader survives a renewal whose connection was lost', async () => {
    await fc.assert(
      fc.asyncProperty(phase, latency, async (from, latencyMs) => {
        const server = new LeaseServer();
        server.latencyMs = latencyMs;
        const leader = join(server, 'a');
        await server.clock.advance(1000 + from);
        const now = server.clock.monotonic();
        server.lost = { from: now, to: now + 2000 };
        for (let ms = 0; ms < 5000; ms += 50) {
          await server.clock.advance(50);
          expect(leader.elector.isLeader()).toBe(true);
        }
        expect(leader.terms).toHaveLength(1);
      }),
      { numRuns: 100 },
    );
  });

  it('no two leaders overlap after a freeze or partition, even on a slow clock', async () => {
    const slow = fc.double({ min: 0.76, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(phase, slow, fc.integer({ min: 0, max: 9000 }), async (at, rate, forMs) => {
        const server = new LeaseServer();
        const first = join(server, 'a', rate);
        await server.clock.advance(500);
        const second = join(server, 'b');
        await server.clock.advance(1000 + at);
        first.clock.freeze();
        for (let ms = 0; ms < forMs + 3000; ms += 20) {
          if (ms >= forMs) first.clock.thaw();
          await server.clock.advance(20);
          expect(first.elector.isLeader() && second.elector.isLeader()).toBe(false);
        }
        expect(first.terms.length).toBeGreaterThan(0);
        if (forMs >= leaseDurationMs + 2 * retryPeriodMs) expect(second.terms.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});
