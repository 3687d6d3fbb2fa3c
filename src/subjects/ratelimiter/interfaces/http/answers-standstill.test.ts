/** The processor time that answers take which come all at once, by what they hold: it is what the event loop waits. */
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  jsonAnswer,
  startAnsweringNode,
} from '../../../../../test/fixtures/subjects/ratelimiter/http/answering-node.ts';
import { sendBurst, spread } from '../../http/burst.ts';
import { ConnectionBudget } from '../../http/connection-budget.ts';
import { PodClient } from '../../http/pod-client.ts';
import { httpInterfaceSchema } from '../../spec/http-schema.ts';
import type { PodTarget } from '../../target/target.ts';
import { outcomeOf } from '../caller-request.ts';
import { HttpCallers } from './http-callers.ts';

const REQUESTS = 500;
/** Compilation and garbage collection only add to a measurement, so the least of several counts. */
const ATTEMPTS = 3;
const TIMEOUT_MS = 20_000;
const { signal } = new AbortController();
const decision = { pointer: '/result/allowed', admitted: 'true', rejected: 'false' };
const callers = new HttpCallers(
  httpInterfaceSchema.parse({
    path: '/?user=$(key)',
    admittedStatuses: [200],
    rejectedStatuses: [200],
    decision,
  }),
);
const request = { method: 'POST', path: '/' };

async function burst(pod: PodTarget): Promise<unknown> {
  const plan = {
    requests: spread([pod], REQUESTS, () => request),
    read: callers.read.bind(callers),
    timeoutMs: TIMEOUT_MS,
    budget: new ConnectionBudget(REQUESTS).onBehalfOf('shop'),
  };
  return await sendBurst(plan, signal);
}

async function traffic(pod: PodTarget): Promise<unknown> {
  const client = new PodClient(pod, Date.now);
  const sendAll = async (): Promise<unknown> =>
    outcomeOf(await client.send(request, TIMEOUT_MS, signal), callers);
  return await Promise.all(Array.from({ length: REQUESTS }, sendAll)).finally(() => client.close());
}

/** The processor time of this thread that it takes, in milliseconds: other load on the machine does not count. */
async function cpuMs(act: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage();
  await act();
  const { system, user } = process.threadCpuUsage(before);
  return (system + user) / 1000;
}

async function nodeWith(answer: string): Promise<PodTarget> {
  const pod = await startAnsweringNode({ answer, requests: REQUESTS });
  onTestFinished(async () => void (await pod.stop()));
  return pod;
}

const nested = (bytes: number) => `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`;
const members = (bytes: number) =>
  `{"result":{"allowed":true}${Array.from({ length: bytes / 9 }, (_, i) => `,"m${i}":1`).join('')}}`;

const withHead = (...lines: string[]) =>
  ['HTTP/1.1 200 OK', 'content-length: 0', ...lines, '', ''].join('\r\n');
const spaces = ' '.repeat(7900);

describe.each([
  ['a burst', burst],
  ['steady traffic', traffic],
])('the answers to %s', (_, sendAll) => {
  it.each([
    ['JSON nested 2,000 deep', jsonAnswer(nested(4000))],
    ['JSON nested 8,000 deep', jsonAnswer(nested(16_000))],
    ['JSON nested 30,000 deep', jsonAnswer(nested(60_000))],
    ['400 members', jsonAnswer(members(3600))],
    ['a field of blanks', withHead(`a: 1${spaces}2`)],
    ['a field of blanks that is malformed', withHead(`a: ${spaces}\u0001`)],
    ['a Connection of blanks', withHead(`connection: 1${spaces}2`)],
  ])('take at most four times as long for %s', async (__, answer) => {
    const [small, hostile] = [await nodeWith(jsonAnswer(members(100))), await nodeWith(answer)];
    const [control, taken] = [[] as number[], [] as number[]];
    for (let i = 0; i < ATTEMPTS; i += 1) {
      control.push(await cpuMs(() => sendAll(small)));
      taken.push(await cpuMs(() => sendAll(hostile)));
    }
    expect(Math.min(...taken)).toBeLessThan(4 * Math.min(...control));
  });
});
