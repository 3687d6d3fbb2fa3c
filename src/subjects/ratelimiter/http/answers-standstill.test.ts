/** How long the event loop stands still for answers that come all at once, by what they hold. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { gotOf } from '../interfaces/caller-request.ts';
import { HttpCallers } from '../interfaces/http/http-callers.ts';
import { httpInterfaceSchema } from '../interfaces/http/schema.ts';
import { standstillMs } from '../standstill.fixture.ts';
import { jsonAnswer, startAnsweringNode } from './answering-node.fixture.ts';
import { sendBurst } from './burst.ts';
import { type BurstNode, spread } from './burst-plan.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { NodeClient } from './node-client.ts';

const REQUESTS = 1000;
const TIMEOUT_MS = 20_000;
const { signal } = new AbortController();
const member = { pointer: '/result/allowed', value: 'true' };
const callers = new HttpCallers(
  httpInterfaceSchema.parse({
    request: { path: '/?user=$(key)' },
    admitted: { statuses: [200], member },
    denied: { statuses: [200], member: { ...member, value: 'false' } },
  }),
);
const request = { method: 'POST', path: '/' };

async function burst(node: BurstNode): Promise<unknown> {
  const plan = {
    requests: spread([node], REQUESTS, () => request),
    read: callers.read.bind(callers),
    timeoutMs: TIMEOUT_MS,
    budget: new ConnectionBudget(REQUESTS).onBehalfOf('shop'),
  };
  return await sendBurst(plan, signal);
}

async function traffic(node: BurstNode): Promise<unknown> {
  const client = new NodeClient(node, REQUESTS, Date.now);
  const ask = async (): Promise<unknown> => gotOf(await client.ask(request, TIMEOUT_MS, signal), callers);
  return await Promise.all(Array.from({ length: REQUESTS }, ask)).finally(() => client.close());
}

async function nodeWith(body: string): Promise<BurstNode> {
  const node = await startAnsweringNode({ answer: jsonAnswer(body), requests: REQUESTS });
  onTestFinished(async () => void (await node.stop()));
  return node;
}

const nested = (bytes: number) => `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`;
const members = (bytes: number) =>
  `{"result":{"allowed":true}${Array.from({ length: bytes / 9 }, (_, i) => `,"m${i}":1`).join('')}}`;

describe.each([
  ['a burst', burst],
  ['steady traffic', traffic],
])('the answers to %s', (_, ask) => {
  it.each([
    ['nested 2,000 deep', nested(4000)],
    ['nested 8,000 deep', nested(16_000)],
    ['nested 30,000 deep', nested(60_000)],
    ['of 400 members', members(3600)],
  ])('keep the loop at most three times as long for bodies %s', async (__, body) => {
    const [small, hostile] = [await nodeWith(members(100)), await nodeWith(body)];
    const most = 3 * (await standstillMs(() => ask(small), 0));
    expect(await standstillMs(() => ask(hostile), most)).toBeLessThan(most);
  });
});
