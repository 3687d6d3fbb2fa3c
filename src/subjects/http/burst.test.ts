import { createServer as createHttpServer } from 'node:http';
import { createServer, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { podOf } from '../../../test/fixtures/subjects/http/pods.ts';
import type { PodTarget } from '../targets/target.ts';
import { type BurstPlan, sendBurst } from './burst.ts';
import { CONNECTION_BYTES, ConnectionBudget } from './connection-budget.ts';
import { type Dial, dialTcp } from './dial.ts';

const { signal } = new AbortController();
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const CHECK = { method: 'POST', path: '/check', body: 'x' };

/** A node that answers as `answer` does: to the first request of a connection, the second, and so on. */
async function rawNode(answer: (socket: Socket, request: number, text: string) => void, name = 'rl-0') {
  const server = createServer((socket) => {
    let requests = 0;
    socket.on('data', (bytes) => answer(socket, requests++, bytes.toString('latin1')));
  });
  return await podOf(server, name);
}

async function allClosed(sockets: ReadonlySet<Socket>): Promise<void> {
  await expect.poll(() => sockets.size, { timeout: 10_000 }).toBe(0);
}

/** A clock that reaches the moment of a burst, and calls `act` when it is read right before. */
function clockThatCalls(act: () => void): { at: number; now: () => number } {
  let reads = 0;
  return {
    at: 10,
    now: () => {
      reads += 1;
      if (reads === 2) act();
      return reads > 2 ? 10 : 0;
    },
  };
}

/** Notes each write once the kernel has taken it. */
function writing(note: (bytes: Uint8Array, socket: Socket) => void): Dial {
  return (to, take) => {
    const socket = dialTcp(to, take);
    const write = socket.write.bind(socket);
    socket.write = (bytes: Uint8Array | string) => {
      const wrote = write(bytes);
      note(Buffer.from(bytes), socket);
      return wrote;
    };
    return socket;
  };
}

/** A connection that is never accepted. */
const neverOpen: Dial = () => new Socket();

function planOf(
  pods: readonly PodTarget[],
  count: number,
  more: Partial<BurstPlan<string>> = {},
): BurstPlan<string> {
  return {
    pods,
    request: CHECK,
    count,
    read: ({ body }) => body.toString(),
    timeoutMs: 10_000,
    budget: new ConnectionBudget(100).onBehalfOf('shop'),
    ...more,
  };
}

describe('a burst', () => {
  it('reaches real HTTP servers, spread evenly, on a connection each', async () => {
    const used = new Set<object>();
    const seen: string[] = [];
    const names = ['rl-0', 'rl-1', 'rl-2'];
    const pods = await Promise.all(
      names.map(async (name) => {
        const server = createHttpServer((request, response) => {
          used.add(request.socket);
          seen.push(name);
          request.resume().once('end', () => response.end(name));
        });
        return (await podOf(server, name)).pod;
      }),
    );
    const { outcomes, startedAt, endedAt, sendSpanMs } = await sendBurst(planOf(pods, 8), signal);
    expect(outcomes.map(({ pod, answer }) => [pod, answer])).toEqual(
      [0, 1, 2, 0, 1, 2, 0, 1].map((i) => [names[i], names[i]]),
    );
    expect(seen.toSorted()).toEqual(
      names.flatMap((name, i) => Array.from({ length: i < 2 ? 3 : 2 }, () => name)),
    );
    expect(used.size).toBe(8);
    for (const { sentAt, endedAt: at } of outcomes) {
      expect(sentAt).toBeGreaterThanOrEqual(startedAt);
      expect(sentAt).toBeLessThanOrEqual(startedAt + sendSpanMs);
      expect(at).toBeGreaterThan(sentAt);
      expect(at).toBeLessThanOrEqual(endedAt);
    }
  });

  it('writes every request before any answer is looked at', async () => {
    let arrived = 0;
    const waiting: Socket[] = [];
    const { pod } = await rawNode((socket) => {
      waiting.push(socket);
      arrived += 1;
      // Were one held back for the answer of another, this would never be reached.
      if (arrived === 50) for (const held of waiting) held.write(OK);
    });
    const { outcomes } = await sendBurst(planOf([pod], 50), signal);
    expect(outcomes.every(({ answer }) => answer === 'ok')).toBe(true);
  });

  it('rehearses right before its moment, which sends nothing and holds nothing back', async () => {
    const requests: string[] = [];
    const { pod } = await rawNode((socket, _, text) => {
      requests.push(text.slice(0, 4));
      socket.write(OK);
    });
    const steps: string[] = [];
    const dial = writing((bytes, socket) => {
      const step = bytes.length === 0 ? 'nothing' : Buffer.from(bytes).toString('latin1', 0, 4);
      steps.push(`${step}, ${socket.writableLength} unsent`);
    });
    const onStart = (): void => void steps.push('now');
    await sendBurst(planOf([pod], 2, { dial, onStart }), signal);
    const twice = (step: string): string[] => [step, step];
    expect(steps).toEqual([...twice('nothing, 0 unsent'), 'now', ...twice('POST, 0 unsent')]);
    expect(requests).toEqual(twice('POST'));
  });

  it('a burst writes wake-up requests to each pod first, whatever their result', async () => {
    const heard: string[] = [];
    const written: string[] = [];
    const firstLine = (text: string): string => text.slice(0, text.indexOf(' HTTP'));
    const pods = await Promise.all(
      ['is never answered', 'is answered with what is no HTTP'].map(async (what, i) => {
        const { pod } = await rawNode((socket, _, text) => {
          heard.push(`rl-${i}: ${firstLine(text)}`);
          if (!text.startsWith('GET /wake-up')) socket.write(OK);
          else if (i === 1) socket.end(what);
        }, `rl-${i}`);
        return pod;
      }),
    );
    const dial = writing((bytes) => {
      if (bytes.length > 0) written.push(firstLine(Buffer.from(bytes).toString('latin1')));
    });
    const budget = new ConnectionBudget(23);
    const wakeUp = { method: 'GET', path: '/wake-up' };
    const plan = { wakeUp, dial, budget: budget.onBehalfOf('shop') };
    const { outcomes } = await sendBurst(planOf(pods, 6, plan), signal);
    const times = (count: number, line: string): string[] => Array.from({ length: count }, () => line);
    expect(outcomes.map(({ answer }) => answer)).toEqual(times(6, 'ok'));
    expect(written).toEqual([...times(16, 'GET /wake-up'), ...times(6, 'POST /check')]);
    expect(heard.filter((line) => line.endsWith('/wake-up')).toSorted()).toEqual([
      ...times(8, 'rl-0: GET /wake-up'),
      ...times(8, 'rl-1: GET /wake-up'),
    ]);
    expect(budget.free).toBe(23);
    const tooMany = sendBurst(planOf(pods, 8, { ...plan, timeoutMs: 50 }), signal);
    await expect(tooMany).rejects.toThrow(/it needs 24 connections, .* \(a namespace may have 23\)/);
  });

  it('each failure has its own code, and does not affect other requests', async () => {
    const answers: ((socket: Socket) => unknown)[] = [
      (socket) => socket.write(OK),
      (socket) => socket.write('HTTP/1.1 200 OK\r\n folded\r\n\r\n'),
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.end(OK.slice(0, -1)),
      () => undefined,
      (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
    ];
    const nodes = await Promise.all(answers.map(async (answer) => await rawNode(answer)));
    const plan = planOf(
      nodes.map(({ pod }) => pod),
      answers.length,
      { timeoutMs: 500 },
    );
    const { outcomes } = await sendBurst(plan, signal);
    expect(outcomes.map(({ answer, failure }) => answer ?? failure?.code)).toEqual([
      'ok',
      'BAD_ANSWER',
      'RESET',
      'RESET',
      'TIMEOUT',
      'to the end',
    ]);
  });
});

describe('a burst that cannot be sent', () => {
  it('does not take bytes that came before for the answer of the burst', async () => {
    const { pod, sockets } = await rawNode((socket) => socket.write(OK));
    const unexpected = clockThatCalls(() =>
      sockets.forEach((socket) => socket.write(OK.replace('ok', 'no'))),
    );
    const { outcomes } = await sendBurst(planOf([pod], 1, unexpected), signal);
    expect(outcomes[0]?.failure?.code).toBe('NOT_SENT');
  });

  it('sends nothing when the moment is refused', async () => {
    let requests = 0;
    const { pod, sockets } = await rawNode((socket) => {
      requests += 1;
      socket.write(OK);
    });
    const onStart = (): void => {
      throw new Error('another operator leads');
    };
    await expect(sendBurst(planOf([pod], 3, { onStart }), signal)).rejects.toThrow('another operator leads');
    await allClosed(sockets);
    expect(requests).toBe(0);
  });
});

const stopIn = (stop: AbortController, ms: number): void =>
  void setTimeout(() => stop.abort(new Error('enough')), ms);
const stages: [string, (stop: AbortController) => Partial<BurstPlan<string>>][] = [
  ['while it connects', (stop) => (stopIn(stop, 50), { dial: neverOpen })],
  ['while it waits for its moment', (stop) => (stopIn(stop, 150), { at: Date.now() + 60_000 })],
  ['at its moment', (stop) => ({ onStart: () => stop.abort(new Error('enough')) })],
  ['while it waits for answers', (stop) => ({ onStart: () => stopIn(stop, 50) })],
];
it.each(stages)(
  'an aborted burst %s ends with the reason, its connections and no timer left',
  async (_, more) => {
    const { pod, sockets } = await rawNode(() => undefined);
    const budget = new ConnectionBudget(100);
    const stop = new AbortController();
    const plan = planOf([pod], 5, { budget: budget.onBehalfOf('shop'), ...more(stop) });
    await expect(sendBurst(plan, stop.signal)).rejects.toThrow('enough');
    expect(budget.free).toBe(100);
    await allClosed(sockets);
  },
);

describe('bursts of several runs', () => {
  /** Sends all of an answer but the end. */
  const endless = async () =>
    await rawNode((socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(8000)}\r\ncontent-length: 16300\r\n\r\n${'z'.repeat(16_000)}`,
      ),
    );

  it('hold no more memory together than the share of their namespace', async () => {
    const { pod } = await endless();
    const share = 600;
    const budget = new ConnectionBudget(share).onBehalfOf('hostile');
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 5);
    onTestFinished(() => clearInterval(look));
    const bursts = await Promise.all(
      Array.from(
        { length: 5 },
        async () => await sendBurst(planOf([pod], 60, { budget, timeoutMs: 1500 }), signal),
      ),
    );
    const failures = bursts.flatMap(({ outcomes }) => outcomes.map(({ failure }) => failure?.code));
    // Those that were given up may have been admitted, as those that were waited for in vain.
    expect(failures).toContain('NO_ROOM');
    expect(failures.filter((code) => code !== 'NO_ROOM' && code !== 'TIMEOUT')).toEqual([]);
    // The node is in this process, too. As many bytes as were sent would be four times the share.
    expect(most).toBeLessThan(2 * share * CONNECTION_BYTES);
  });
});
