import type { RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOfPod } from '../../../../test/fixtures/subjects/http/pods.ts';
import type { CallerRequest } from '../../history/events.ts';
import { ConnectionBudget } from '../../http/connection-budget.ts';
import { PodClient } from '../../http/pod-client.ts';
import type { Memory } from '../../memory.ts';
import { HttpCallers } from '../interfaces/http/http-callers.ts';
import { httpInterfaceSchema } from '../spec/http-schema.ts';
import { type Due, podByPod, runTraffic, type TrafficOptions } from './traffic.ts';

const callers = new HttpCallers(httpInterfaceSchema.parse({ path: '/$(key)' }));

async function nodeThat(
  answer: (path: string) => number | undefined,
  name: string,
  memory?: Memory,
  begun?: string,
) {
  const listener: RequestListener = (request, response) => {
    const status = answer(request.url ?? '');
    if (status === undefined) return;
    response.writeHead(status);
    if (begun === undefined) response.end();
    else response.write(begun);
  };
  return await clientOfPod(listener, { name, ...(memory && { memory }) });
}

/** In each turn every pod gets the next key of each source, until one has no more. */
function toEachPod(clients: readonly PodClient[], ...sources: Source[]): TrafficOptions['schedule'] {
  return (turn) => {
    const due = clients.flatMap((client, i) =>
      sources.flatMap((keyOf): Due[] => {
        const key = keyOf(turn * clients.length + i);
        return key === undefined ? [] : [{ client, caller: 'Drawn', key }];
      }),
    );
    return due.length < clients.length * sources.length ? undefined : due;
  };
}

/** The key of each request. */
type Source = (request: number) => string | undefined;

/** Each key this many times, one after the other. */
const usedTimes =
  (keys: readonly string[], uses: number): Source =>
  (request) =>
    keys[Math.floor(request / uses)];
const always =
  (key: string): Source =>
  () =>
    key;

/** Callers within their limit, and one beyond. */
const sides = (within: string[], uses: number) => [usedTimes(within, uses), always('demo-b')] as const;

const endless = { room: () => ({ release: () => undefined }), leftOut: () => undefined };

/** Its requests, by traffic that ends with its schedule or the signal. */
async function sentBy(
  options: Partial<TrafficOptions> & Pick<TrafficOptions, 'schedule'>,
  signal = new AbortController().signal,
  requests: CallerRequest[] = [],
): Promise<CallerRequest[]> {
  const usual = { callers, turnsPerSecond: 200, callerTimeoutMs: 5000, ...endless };
  await runTraffic({ ...usual, ...options }, (request) => requests.push(request), signal, signal);
  return requests;
}

async function recordedRequests(
  clients: PodClient[],
  within: string[],
  uses: number,
  callerTimeoutMs = 5000,
  room: Pick<TrafficOptions, 'room' | 'leftOut'> = endless,
) {
  return await sentBy({ schedule: toEachPod(clients, ...sides(within, uses)), callerTimeoutMs, ...room });
}

describe('callers', () => {
  it('callers use each pod in turn until their keys run out', async () => {
    const paths: string[] = [];
    const of = (status: number) => (path: string) => {
      paths.push(path);
      return path === '/demo-b' ? 429 : status;
    };
    const requests = await recordedRequests(
      [await nodeThat(of(200), 'a'), await nodeThat(of(503), 'b')],
      ['k1', 'k2'],
      3,
    );
    const seen = (pod: string, isOver: boolean) =>
      requests.filter((r) => r.pod === pod && (r.key === 'demo-b') === isOver).map(({ outcome }) => outcome);
    expect(seen('a', false)).toEqual(['Admitted', 'Admitted', 'Admitted']);
    expect(seen('b', false)).toEqual(['Error', 'Error', 'Error']);
    expect(seen('a', true)).toEqual(['Rejected', 'Rejected', 'Rejected']);
    expect(paths.filter((path) => path === '/k1')).toHaveLength(3);
    expect(paths.filter((path) => path === '/k2')).toHaveLength(3);
  });

  it('callers give a request up after their timeout', async () => {
    const requests = await recordedRequests([await nodeThat(() => undefined, 'a')], ['k1'], 2, 30);
    expect(requests.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'Timeout'));
    for (const { endedAt, sentAt } of requests) expect(endedAt - sentAt).toBeGreaterThanOrEqual(29);
  });

  it('callers without a free connection are left out, and counted as left out', async () => {
    const share = new ConnectionBudget(3).onBehalfOf('shop');
    let leftOut = 0;
    const room = () => share.tryAcquire(1);
    const requests = await recordedRequests([await nodeThat(() => undefined, 'a')], ['k1'], 3, 50, {
      room,
      leftOut: () => (leftOut += 1),
    });
    expect(requests.length + leftOut).toBe(6);
    expect(requests.length).toBeGreaterThanOrEqual(3);
    expect(leftOut).toBeGreaterThan(0);
    expect(share.tryAcquire(3)).toBeDefined();
  });

  it('callers given up for memory are left out, and not reported as failed', async () => {
    const budget = new ConnectionBudget(10);
    await budget.onBehalfOf('neighbour').acquire(10, new AbortController().signal);
    const client = await nodeThat(() => 200, 'a', budget.onBehalfOf('shop'), 'x'.repeat(4000));
    let leftOut = 0;
    const requests = await recordedRequests([client], ['k1'], 2, 5000, {
      room: endless.room,
      leftOut: () => (leftOut += 1),
    });
    expect([requests, leftOut]).toEqual([[], 4]);
  });

  it('requests that were never sent are not recorded', async () => {
    const stopped = new AbortController();
    const schedule = toEachPod([await nodeThat(() => undefined, 'a')], ...sides(['k1', 'k2'], 100));
    const sent = sentBy({ schedule, callerTimeoutMs: 60_000 }, stopped.signal);
    stopped.abort();
    expect(await sent).toEqual([]);
  });

  it('that cannot be sent end the traffic with an error, and not the process', async () => {
    const client = await nodeThat(() => 200, 'a');
    const tooLong = {
      requestOf: (key: string) => ({ method: 'GET', path: key === 'k2' ? `/${'x'.repeat(20_000)}` : '/' }),
      read: () => 'Admitted' as const,
    };
    const sent = sentBy({ schedule: toEachPod([client], ...sides(['k1', 'k2', 'k3'], 1)), callers: tooLong });
    await expect(sent).rejects.toThrow('at most 16384 are sent');
  });
});

describe('a request that its caller gave up', () => {
  /** Sends two requests to a node that holds answers back, and waits for their outcomes. */
  async function listening() {
    const held: (() => void)[] = [];
    const client = await clientOfPod((_, response) => {
      held.push(() => response.writeHead(200).end());
    });
    const until = new AbortController();
    const share = new ConnectionBudget(2).onBehalfOf('shop');
    const late: { request: CallerRequest; outcome: string }[] = [];
    const requests = await sentBy({
      schedule: toEachPod([client], usedTimes(['k1', 'k2'], 1)),
      room: () => share.tryAcquire(1),
      callerTimeoutMs: 30,
      late: {
        listensTo: () => true,
        onAnswer: (request, { outcome }) => late.push({ request, outcome }),
        until: until.signal,
      },
    });
    return { held, late, requests, share, until };
  }

  it('is recorded as a timeout, and again once its answer arrives', async () => {
    const { held, late, requests, share } = await listening();
    expect(requests.map(({ outcome }) => outcome)).toEqual(['Timeout', 'Timeout']);
    expect([late, share.tryAcquire(1)]).toEqual([[], undefined]);
    for (const answer of held) answer();
    await expect.poll(() => late.length).toBe(2);
    expect(late).toMatchObject([{ outcome: 'Admitted' }, { outcome: 'Admitted' }]);
    expect(requests).toContain(late[0]?.request);
    await expect.poll(() => share.tryAcquire(2)).toBeDefined();
  });

  it('ends with the patience of its caller if 500 others are open', async () => {
    const client = await clientOfPod(() => undefined);
    const [until, stop] = [new AbortController(), new AbortController()];
    onTestFinished(() => until.abort());
    let held = 0;
    const room = () => {
      held += 1;
      return { release: () => (held -= 1) };
    };
    const late = { listensTo: () => true, onAnswer: () => undefined, until: until.signal };
    const often = { room, turnsPerSecond: 1000, callerTimeoutMs: 5, late };
    const requests: CallerRequest[] = [];
    const traffic = sentBy({ schedule: toEachPod([client], always('k1')), ...often }, stop.signal, requests);
    await expect.poll(() => requests.length, { timeout: 20_000 }).toBeGreaterThan(1500);
    stop.abort();
    await traffic;
    expect(held).toBeGreaterThanOrEqual(500);
    // Those that were on their way when the 500th gave up.
    expect(held).toBeLessThan(1000);
  });

  it('no late answer is awaited after the signal aborts', async () => {
    const { late, share, until } = await listening();
    until.abort();
    await expect.poll(() => share.tryAcquire(2)).toBeDefined();
    expect(late).toEqual([]);
  });
});

describe('steady traffic', () => {
  /** The outcome of ten requests to a pod that answers so, or to one that is not there. */
  async function sentTo(answer?: RequestListener) {
    const nobody = { name: 'a', host: '127.0.0.1', port: 1 };
    const client = answer ? await clientOfPod(answer) : new PodClient(nobody, Date.now);
    const steady = podByPod([client], () => 'k');
    const schedule = (turn: number) => (turn < 10 ? steady(turn) : undefined);
    const requests = await sentBy({ schedule, callerTimeoutMs: 10_000 });
    expect(requests).toHaveLength(10);
    const [first] = requests;
    for (const { cause, outcome } of requests)
      expect([outcome, cause]).toEqual([first?.outcome, first?.cause]);
    return [first?.outcome, first?.cause];
  }

  it.each<[string, RequestListener | undefined, (string | undefined)[]]>([
    ['fails', (_, response) => response.writeHead(500).end(), ['Error', 'ServerError']],
    // Whether it was admitted is unknown.
    [
      'answers what the spec does not know',
      (_, response) => response.writeHead(302).end(),
      ['Error', 'Answer'],
    ],
    ['hangs up', ({ socket }) => void socket.destroy(), ['Error', 'Reset']],
    ['is not there', undefined, ['Error', 'Unreachable']],
  ])('records every request to a pod that %s', async (_, answer, outcome) => {
    expect(await sentTo(answer)).toEqual(outcome);
  });

  it('goes to one pod after the other', () => {
    const clients = ['a', 'b'].map((name) => ({ pod: { name } }) as PodClient);
    const turns = [0, 1, 2].map(podByPod(clients, () => 'k'));
    expect(turns.map((due) => due.map(({ client }) => client.pod.name))).toEqual([['a'], ['b'], ['a']]);
  });
});
