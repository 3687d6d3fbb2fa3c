import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { outOfFiles } from '../../../../../test/fixtures/ratelimiter/http/out-of-files.ts';
import { NodeClient } from '../../http/node-client.ts';
import { askingNode } from './asking-node.ts';
import { HttpCallers } from './http-callers.ts';
import { httpInterfaceSchema } from './schema.ts';

const never = new AbortController().signal;
const callers = new HttpCallers(httpInterfaceSchema.parse({ request: { path: '/$(key)' } }));

/** What becomes of one request to a node that answers so; to nobody where it is left out. */
async function outcomeOf(answer?: RequestListener) {
  let port = 1;
  if (answer) {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  const client = new NodeClient({ name: 'api-0', host: '127.0.0.1', port }, 1, Date.now);
  onTestFinished(() => client.close());
  return await askingNode(client, callers, () => 'demo-a', 400).check(new AbortController().signal);
}

const status =
  (code: number): RequestListener =>
  (_, response) =>
    response.writeHead(code).end();

it.each<[string, RequestListener | undefined, string]>([
  ['lets it through', status(200), 'Allowed'],
  ['denies it', status(429), 'Denied'],
  ['fails, so that nobody was let through', status(500), 'Refused'],
  ['says that its store is gone', status(503), 'Refused'],
  // It may have been let through: nobody knows.
  ['answers what the spec does not know', status(302), 'Improper'],
  ['hangs', () => undefined, 'Unanswered'],
  ['hangs up', ({ socket }) => void socket.destroy(), 'Unanswered'],
  ['is not there', undefined, 'Unreachable'],
])('a request to a node that %s', async (_, answer, outcome) => {
  expect(await outcomeOf(answer)).toBe(outcome);
});

it('a request for which this machine has no connection left says nothing of the node', async () => {
  const client = new NodeClient({ name: 'api-0', host: '127.0.0.1', port: 1 }, 1, Date.now, outOfFiles);
  onTestFinished(() => client.close());
  const asking = askingNode(client, callers, () => 'demo-a', 400);
  expect(await asking.check(new AbortController().signal)).toBe('Unsent');
});

it('a request whose answer we gave up for want of room may have been let through', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 8000 });
    response.write('x'.repeat(2000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const none = { take: () => false, give: () => undefined };
  const node = { name: 'api-0', host: '127.0.0.1', port };
  const client = new NodeClient(node, 1, Date.now, undefined, none);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  expect((await client.ask({ method: 'GET', path: '/' }, 5000, never)).failure?.code).toBe('NO_ROOM');
  expect(await askingNode(client, callers, () => 'demo-a', 5000).check(never)).toBe('Unanswered');
});

it('a request that is called off has no outcome', async () => {
  const client = new NodeClient({ name: 'api-0', host: '127.0.0.1', port: 1 }, 1, Date.now);
  onTestFinished(() => client.close());
  const over = AbortSignal.abort();
  expect(await askingNode(client, callers, () => 'demo-a', 400).check(over)).toBeUndefined();
});
