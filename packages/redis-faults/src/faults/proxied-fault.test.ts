import { describe, expect, it } from 'vitest';
import { FaultProxyError } from '../client/fault-proxy.ts';
import { EARLY_MS } from '../events.ts';
import { LONGEST_PROXIED_MS } from '../proxy/control-api.ts';
import { useFakeTime } from '../testing/fake-time.fixture.ts';
import { type FaultTools, NotInjectedError } from './fault.ts';
import { type Proof } from './proof.ts';
import { FakeProxy, INSTANCE, preparedFault } from './proxied-fault.fixture.ts';
import { type Look, ProxiedFault } from './proxied-fault.ts';
import { type Observed, unshown } from './shown.ts';

useFakeTime();

const MS = 2000;
const LINGER_MS = 700;
const OTHER_INSTANCE = INSTANCE.replace('0b', '1b');

/** A fault whose probes find what the test makes up. */
class Probed extends ProxiedFault {
  readonly type = 'Blackhole';
  override readonly lingerMs = LINGER_MS;
  proof: Proof = { proof: 'Confirmed', message: 'p' };
  endProof: Proof | undefined;
  override quickMs: number | undefined = undefined;
  endsAt = Number.POSITIVE_INFINITY;
  readonly lingersUntil: number[] = [];

  async prove(): Promise<Proof> {
    return this.proof;
  }
  async look(): Promise<Look> {
    return Date.now() >= this.endsAt ? 'Ended' : 'Met';
  }
  override async proveEnd(): Promise<Proof | undefined> {
    return this.endProof;
  }
  override async linger(until: number): Promise<void> {
    this.lingersUntil.push(until);
  }
}

/** @param direct Redis lists the pod itself as well */
async function prepared(change: Partial<FakeProxy> = {}, direct = false) {
  const made: Probed[] = [];
  const make = (tools: FaultTools): Probed => {
    const probed = new Probed(tools);
    made.push(probed);
    return probed;
  };
  const others = direct ? '\nid=3 addr=10.0.0.1:9 name= flags=N user=default' : '';
  const run = await preparedFault(make, change, undefined, others);
  return { ...run, fault: made[0] as Probed };
}

describe('before a fault of a fault proxy', () => {
  const { current } = new FakeProxy();

  it.each<[string, RegExp, Partial<FakeProxy>, boolean?]>([
    [
      'another fault is active',
      /Refuse/,
      { current: { ...current, fault: { type: 'Refuse', remainingMs: 7 } } },
    ],
    ['a pod also connects to Redis directly', /^redis-0 lists .* from api-0/, {}, true],
    [
      'a pod does not connect by the proxy',
      /^proxy-0 lists no connection of api-0/,
      { connections: async () => ({ requester: '10.0.0.5:1', connections: [] }) },
    ],
  ])('a fault is not prepared if %s', async (_, reason, change, direct) => {
    await expect(prepared(change, direct)).rejects.toThrow(reason);
  });

  it('nothing is requested if a probe of it cannot be opened', async () => {
    const { fault, inject, proxy } = await prepared();
    fault.quickMs = 1000;
    await expect(inject()).rejects.toThrow(NotInjectedError);
    expect(proxy.begun).toEqual([]);
  });
});

describe('a fault of a fault proxy', () => {
  it('is announced with the instance of the proxy and its count, and begins once', async () => {
    const { fault, inject, marker, proxy } = await prepared();
    expect(marker).toBe(`${INSTANCE}/7`);
    const plannedAt = Date.now() + 500;
    expect(await inject(MS, undefined, 500)).toMatchObject({ proof: 'Confirmed', startedAt: plannedAt });
    expect(proxy.begun).toEqual([MS + LINGER_MS]);
    expect(fault.isActive).toBe(true);
  });

  it('does not begin if a permit is missing, or too little time is left', async () => {
    const { inject, proxy } = await prepared();
    await expect(inject(2000, 'the lock was lost')).rejects.toThrow('the lock was lost');
    await expect(inject(499)).rejects.toThrow(NotInjectedError);
    expect(proxy.begun).toEqual([]);
    await inject(500);
    expect(proxy.begun).toEqual([500 + LINGER_MS]);
  });

  it('is released if the proxy does not answer: it may have begun', async () => {
    const { fault, inject, proxy } = await prepared({ failure: new FaultProxyError('no answer') });
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Inconclusive' });
    expect(report.startedAt).toBeUndefined();
    expect(proxy.released).toBe(1);
    expect(fault.isActive).toBe(false);
  });

  it.each([
    [1000, 0, true],
    [1001, 1, false],
  ])('if the answer takes %i ms, is released %i times', async (lateMs, released, isActive) => {
    const { fault, inject, proxy } = await prepared({ lateMs });
    const report = await inject();
    expect(proxy.released).toBe(released);
    expect(fault.isActive).toBe(isActive);
    expect(report.proof).toBe(isActive ? 'Confirmed' : 'Inconclusive');
    expect(report.endedAt).toBe(isActive ? undefined : Date.now());
  });

  it('is not proven if it reached no connection of a pod', async () => {
    const { inject } = await prepared({ clients: ['10.0.0.2:5'] });
    expect(await inject()).toMatchObject({
      proof: 'Inconclusive',
      message: expect.stringContaining('api-0'),
    });
  });

  it.each<[Proof['proof']]>([['Mismatch'], ['Inconclusive']])('is %s if its probe is', async (proof) => {
    const { fault, inject } = await prepared();
    fault.proof = { proof, message: 'p' };
    expect(await inject()).toMatchObject({ proof });
  });
});

describe('the end of a fault of a fault proxy', () => {
  async function ended(
    afterMs: number,
    before: (run: Awaited<ReturnType<typeof prepared>>) => void = () => undefined,
    ms = MS,
  ) {
    const run = await prepared();
    const until = Date.now() + ms;
    run.fault.endsAt = until + afterMs;
    await run.inject(ms);
    before(run);
    return { ...run, report: await run.ended(), until };
  }

  it.each([MS, LONGEST_PROXIED_MS])('of %i ms is seen within 10 ms, and its remains too', async (ms) => {
    const { events, fault, report, until } = await ended(0, undefined, ms);
    expect(report.proof).toBe('Confirmed');
    expect(unshown({}, events as Observed[], report, until)).toBeUndefined();
    expect((report.endedAt ?? 0) - until).toBeGreaterThanOrEqual(0);
    expect((report.endedAt ?? 0) - until).toBeLessThanOrEqual(10);
    expect(fault.lingersUntil).toEqual([until + LINGER_MS]);
    expect(fault.isActive).toBe(false);
  });

  it.each<[string, number, (run: Awaited<ReturnType<typeof prepared>>) => void, RegExp]>([
    ['another client ended it early', -EARLY_MS - 100, () => undefined, /another client/],
    [
      'this run released it',
      -EARLY_MS - 100,
      ({ proxy }) => {
        proxy.released = 1;
      },
      /this run/,
    ],
    [
      'the proxy was restarted, also on time',
      0,
      ({ proxy }) => {
        proxy.current = { ...proxy.current, instance: OTHER_INSTANCE };
      },
      /was restarted/,
    ],
    [
      'the proxy does not answer',
      0,
      ({ proxy }) => {
        proxy.state = async () => Promise.reject(new FaultProxyError('silent'));
      },
      /not known: silent/,
    ],
  ])('makes it Inconclusive if %s', async (_, afterMs, before, why) => {
    const { fault, report } = await ended(afterMs, before);
    expect(report).toMatchObject({
      proof: 'Inconclusive',
      endedAt: expect.any(Number),
      message: expect.stringMatching(why),
    });
    expect(fault.isActive).toBe(false);
  });
});

describe('a successor of the process that announced a fault of a fault proxy', () => {
  it.each([
    ['NotInjected', [7, 7], 1],
    ['Injected', [8, 8], 0],
    ['Injected', [7, 8], 1],
  ] as const)('finds %s for counts of %j, and takes charge %i times', async (found, counts, charges) => {
    const { fault, marker, proxy } = await prepared();
    const [before, after] = counts.map((faults) => ({ ...proxy.current, faults }));
    const charged = proxy.charges;
    proxy.state = async () => before as FakeProxy['current'];
    proxy.current = after as FakeProxy['current'];
    expect(await fault.inquire(marker)).toBe(found);
    expect(proxy.charges - charged).toBe(charges);
  });
});
