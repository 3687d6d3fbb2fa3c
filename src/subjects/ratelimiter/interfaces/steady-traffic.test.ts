import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { endlessRoom } from '../../../../test/fixtures/ratelimiter/traffic-room.ts';
import { DriftInvariant } from '../faults/counter-drift/invariant.ts';
import { ConnectionBudget } from '../http/connection-budget.ts';
import { NodeClient } from '../http/node-client.ts';
import { askingNode } from './http/asking-node.ts';
import { ReferenceCallers } from './reference/reference-callers.ts';
import { runSteadyTraffic, type TrafficNode } from './steady-traffic.ts';

const never = new AbortController().signal;
const NODE = 'rl-0';

/** What becomes of ten requests to a node that answers so, or to one that is not there. */
async function trafficTo(
  handle?: (request: IncomingMessage, response: ServerResponse) => void,
  timeoutMs = 10_000,
  room = endlessRoom,
) {
  let port = 1;
  if (handle) {
    const server = createServer(handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address) port = address.port;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  const client = new NodeClient({ name: NODE, host: '127.0.0.1', port }, 16, Date.now);
  const callers = new ReferenceCallers((windowId) => windowId === 'w');
  onTestFinished(() => client.close());
  const drift = new DriftInvariant({ nodes: [NODE], limit: 10, judged: 'Drift', threshold: 5, lag: 0 });
  await runSteadyTraffic(
    {
      nodes: [askingNode(client, callers, () => 'k', timeoutMs)],
      ...{ requestsPerSecond: 200, requests: 10, room },
    },
    {
      sent: (node) => drift.sent(node),
      answered: (node, allowed) => drift.answered(node, allowed, 0),
      refused: (node) => drift.refused(node),
      unanswered: (node) => drift.unanswered(node),
    },
    never,
    never,
  );
  return drift.traffic.get(NODE);
}

const answer = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const window = { windowId: 'w', windowEndsAt: 5 };

it.each([
  ['allows', answer(200, { allowed: true, ...window }), { answered: 10, allowed: 10 }],
  ['denies', answer(429, { allowed: false, ...window }), { answered: 10 }],
  ['says that Redis did not answer', answer(503, {}), { answered: 10, refused: 10 }],
  ['fails', answer(500, {}), { answered: 10, refused: 10 }],
  ['refuses the caller', answer(403, {}), {}],
  ['answers for another window', answer(200, { allowed: true, ...window, windowId: 'v' }), {}],
  ['answers something else', answer(200, { hello: 'world' }), {}],
  ['hangs up', ({ socket }: IncomingMessage) => void socket.destroy(), { unanswered: 10 }],
])('counts every request to a node that %s', async (_, handle, counts) => {
  expect(await trafficTo(handle)).toEqual({
    ...{ sent: 10, answered: 0, allowed: 0, refused: 0, unanswered: 0 },
    ...counts,
  });
});

it('counts every request to a node that hangs', async () => {
  const counts = { sent: 10, answered: 0, allowed: 0, refused: 0, unanswered: 10 };
  expect(await trafficTo(() => undefined, 300)).toEqual(counts);
});

it('leaves out what there is no connection for, says so, and gives back what it had', async () => {
  const share = new ConnectionBudget(2).onBehalfOf('shop');
  let [asked, open, most, leftOut] = [0, 0, 0, 0];
  const node: TrafficNode = {
    name: NODE,
    async check() {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 100));
      open -= 1;
      return 'Allowed';
    },
  };
  const heard = { sent: () => undefined, answered: () => undefined, unanswered: () => undefined };
  await runSteadyTraffic(
    { nodes: [node], requestsPerSecond: 200, requests: 20, room: () => share.tryAcquire(1) },
    { ...heard, leftOut: () => (leftOut += 1) },
    never,
    never,
  );
  expect([asked + leftOut, most]).toEqual([20, 2]);
  expect(leftOut).toBeGreaterThan(0);
  expect(share.tryAcquire(2)).toBeDefined();
});

it('counts no request that never left', async () => {
  expect(await trafficTo()).toEqual({ sent: 0, answered: 0, allowed: 0, refused: 0, unanswered: 0 });
});
