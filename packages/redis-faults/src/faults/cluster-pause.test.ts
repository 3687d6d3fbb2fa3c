/** A pause, of several masters also: all are paused and proven, or none stays paused. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NotInChargeError } from '../client/fence.ts';
import type { BegunPause, ProbeWriter, RedisConnections } from '../client/redis-client.ts';
import { RedisClientError } from '../client/redis-error.ts';
import { StoreConnections } from '../client/store-connections.ts';
import { useFakeTime } from '../testing/fake-time.fixture.ts';
import { NotInjectedError } from './fault.ts';
import { injectRedisPause, type RedisPauseOptions } from './pause.ts';

useFakeTime();

const never = new AbortController().signal;
const PAUSE_MS = 2000;
const REFUSED = new RedisClientError('NOPERM', 'NOPERM');
const SILENT = new RedisClientError('no answer came');

/** A master that holds writes back while it is paused. */
class FakeMaster {
  readonly name: string;
  /** In its order: what was sent to it. */
  readonly sent: string[] = [];
  beginFailure: Error | undefined;
  pauseFailure: Error | undefined;
  releaseFailure: Error | undefined;
  readFailure: Error | undefined;
  warmUpFailure: Error | undefined;
  /** How late it confirms a pause; milliseconds. */
  lateMs = 0;
  onStep: (step: string) => void = () => undefined;
  /** Open connections of probes. */
  open = 0;
  /** Accepts pauses, and holds nothing back. */
  lies = false;
  pausedMs = 0;
  #isPaused = false;

  constructor(name: string) {
    this.name = name;
  }

  async warmUp(): Promise<void> {
    if (this.warmUpFailure) throw this.warmUpFailure;
  }
  async read(): Promise<number> {
    await sleep(1);
    if (this.readFailure) throw this.readFailure;
    return 1;
  }

  async beginPause(): Promise<BegunPause> {
    await this.#step('begin', this.beginFailure);
    return {
      carryOut: async (ms) => {
        this.pausedMs = ms;
        await this.#step('pause', this.pauseFailure);
        this.#isPaused = true;
        await sleep(this.lateMs);
      },
      drop: async () => void this.sent.push('drop'),
    };
  }

  async unpause(): Promise<void> {
    await this.#step('release', this.releaseFailure);
    this.#isPaused = false;
  }

  async openProbeWriter(): Promise<ProbeWriter> {
    const write = async (): Promise<number> => {
      while (this.#isPaused && !this.lies) await sleep(1);
      return Date.now();
    };
    this.open += 1;
    return { write, close: () => void (this.open -= 1) };
  }

  async #step(name: string, failure: Error | undefined): Promise<void> {
    this.sent.push(name);
    this.onStep(name);
    // Others are done first.
    await sleep(failure ? 2 : 0);
    if (failure) throw failure;
  }
}

interface Plan extends Partial<RedisPauseOptions> {
  /** Of every master. */
  readonly all?: Partial<FakeMaster>;
  readonly lastsMs?: number;
  readonly signal?: AbortSignal;
}

/** Pauses three masters, of which the second is changed so. */
async function paused(
  change: Partial<FakeMaster>,
  permit = (): void => undefined,
  { all, lastsMs = PAUSE_MS, signal = never, ...more }: Plan = {},
) {
  const masters = ['redis-0', 'redis-1', 'redis-2'].map((name) => new FakeMaster(name));
  for (const master of masters) Object.assign(master, all);
  Object.assign(masters[1] as FakeMaster, change);
  const target = (podName: string) => ({ podName, host: '10.0.0.1', port: 6379, tls: false });
  const store = new StoreConnections(
    [target('redis-0'), target('redis-1'), target('redis-2')],
    ({ podName }) => masters.find(({ name }) => name === podName) as unknown as RedisConnections,
  );
  const plannedAt = Date.now();
  const until = plannedAt + lastsMs;
  const options = { plannedAt, until, usualWriteMs: 1, now: Date.now, onSend: permit, ...more };
  const pause = injectRedisPause(store, options, signal);
  const sent = async () => {
    await pause.catch(() => undefined);
    return masters.map((master) => master.sent.join(' '));
  };
  return { masters, pause, sent, store };
}

describe('a pause of three masters', () => {
  it('is sent to all at once, and proven on all', async () => {
    const order: string[][] = [];
    const { pause, sent, store } = await paused({}, () => void order.push(['onSend']));
    expect(await pause).toMatchObject({
      proof: 'Confirmed',
      released: false,
      message: expect.stringMatching(/^writes to Redis Cluster \(redis-0, redis-1 and redis-2\) stall for /),
    });
    expect(await sent()).toEqual(Array(3).fill('begin pause'));
    expect(order).toHaveLength(1);
    expect((await pause).endedAt).toBeUndefined();
    await store.unpause();
    await Promise.all((await pause).probes.map(({ write }) => write.taken));
  });

  it.each<[string, Partial<FakeMaster>, string]>([
    ['is not in charge', { beginFailure: new NotInChargeError() }, 'begin drop'],
    ['does not answer', { beginFailure: SILENT }, 'begin drop'],
  ])('is not sent if one %s', async (_, change, others) => {
    const { pause, sent } = await paused(change);
    await expect(pause).rejects.toThrow(NotInjectedError);
    const [first, , third] = await sent();
    expect([first, third]).toEqual([others, others]);
  });

  it('is not sent if the permit is withdrawn', async () => {
    const { pause, sent } = await paused({}, () => {
      throw new NotInjectedError('it no longer leads');
    });
    await expect(pause).rejects.toThrow('it no longer leads');
    expect(await sent()).toEqual(Array(3).fill('begin drop'));
  });

  it.each<[string, Error]>([
    ['refuses it', REFUSED],
    ['is taken over by another session', new NotInChargeError()],
  ])('is released on the others if one %s at the last moment', async (_, pauseFailure) => {
    const { pause, sent } = await paused({ pauseFailure });
    expect(await pause).toMatchObject({
      proof: 'Mismatch',
      endedAt: expect.any(Number),
      released: true,
      message: expect.stringMatching(
        /^CLIENT PAUSE was refused: .*The pause of redis-0 and redis-2 was released$/,
      ),
    });
    // A pause of another session is not released.
    expect(await sent()).toEqual(['begin pause release', 'begin pause', 'begin pause release']);
  });

  it('is released on all if one does not answer, and may still be active there', async () => {
    const { pause, sent } = await paused({ pauseFailure: SILENT });
    expect(await pause).toMatchObject({ proof: 'Inconclusive', released: true });
    expect((await pause).endedAt).toBeUndefined();
    expect(await sent()).toEqual(Array(3).fill('begin pause release'));
  });

  it('is released on all if one takes writes, with its name', async () => {
    const { pause, sent } = await paused({ lies: true });
    expect(await pause).toMatchObject({
      proof: 'Mismatch',
      endedAt: expect.any(Number),
      released: true,
      message: expect.stringMatching(/^redis-1 accepted CLIENT PAUSE and a write .*was released$/),
    });
    expect(await sent()).toEqual(Array(3).fill('begin pause release'));
  });
});

describe('a pause', () => {
  it.each([
    ['at least 500 ms', 500, 500],
    ['not for less', 499, undefined],
    ['a minute at most', 70_000, 60_000],
  ])('is sent for %s: %i ms: %s', async (_, lastsMs, ms) => {
    const { masters, pause, sent } = await paused({}, undefined, { lastsMs });
    if (ms === undefined) {
      await expect(pause).rejects.toThrow(NotInjectedError);
      expect(await sent()).toEqual(Array(3).fill('begin drop'));
      expect(masters.map(({ open }) => open)).toEqual([0, 0, 0]);
    } else {
      await pause;
      expect(masters.map((master) => master.pausedMs)).toEqual(Array(3).fill(ms));
    }
  });

  it.each<[string, 'begin' | 'pause', Partial<FakeMaster>, string]>([
    ['before it is sent', 'begin', {}, 'begin drop'],
    ['while one master does not answer', 'begin', { beginFailure: SILENT }, 'begin drop'],
    ['once one has failed', 'pause', { pauseFailure: SILENT }, 'begin pause'],
  ])('ends with the reason of an abort %s', async (_, at, change, others) => {
    const over = new AbortController();
    const onStep = (step: string): void => {
      if (step === at) over.abort(new Error('aborted'));
    };
    const { pause, sent } = await paused({ ...change, onStep }, undefined, { signal: over.signal });
    await expect(pause).rejects.toThrow('aborted');
    const [first, , third] = await sent();
    expect([first, third]).toEqual([others, others]);
  });

  it.each([
    [1000, 'begin pause', 'Confirmed', undefined],
    [1001, 'begin pause release', 'Inconclusive', undefined],
    [1001, 'begin pause release', 'Inconclusive', SILENT],
  ])('that is confirmed after %i ms: %s, %s', async (lateMs, commands, proof, releaseFailure) => {
    let confirmed = 0;
    const onPaused = (): void => void (confirmed += 1);
    const { pause, sent } = await paused({}, undefined, { all: { lateMs, releaseFailure }, onPaused });
    const isLate = proof !== 'Confirmed';
    const released = isLate && !releaseFailure;
    expect(await pause).toMatchObject({ proof, released, startedAt: expect.any(Number) });
    expect((await pause).endedAt).toBeUndefined();
    expect(await sent()).toEqual(Array(3).fill(commands));
    expect(confirmed).toBe(isLate ? 0 : 1);
  });

  it.each<[string, Partial<FakeMaster>, Partial<FakeMaster>, string, boolean, string]>([
    ['all masters take writes', { lies: true }, {}, 'Mismatch', true, 'begin pause'],
    ['no master answers reads', { readFailure: SILENT }, {}, 'Inconclusive', false, 'begin pause'],
    [
      'one takes writes, and the others do not answer reads',
      { readFailure: SILENT },
      { lies: true, readFailure: undefined },
      'Mismatch',
      true,
      'begin pause release',
    ],
    [
      'one does not answer reads, and all hold writes back',
      {},
      { readFailure: SILENT },
      'Inconclusive',
      false,
      'begin pause',
    ],
  ])('if %s', async (_, all, change, proof, isOver, commands) => {
    const { pause, sent } = await paused(change, undefined, { all });
    const released = commands.endsWith('release');
    expect(await pause).toMatchObject({ proof, released });
    expect((await pause).endedAt !== undefined).toBe(isOver);
    expect(await sent()).toEqual(Array(3).fill(commands));
  });
});
