import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lookAtLimiter, snapshotOf } from './health.ts';
import { LimiterClient } from './limiter-client.ts';

const targets = ['a', 'b'].map((name, i) => ({ name, host: `10.0.0.${i + 1}`, port: 80 }));
const listed = (states: string[]) =>
  targets.map(({ name, host, port }, i) => ({
    id: name,
    address: `${host}:${port}`,
    state: states[i] ?? 'ready',
  }));

describe('snapshotOf', () => {
  it('has no issues where all nodes are ready and reach Redis', () => {
    expect(snapshotOf(targets, listed([]), [true, true])).toEqual({
      nodes: [
        { id: 'a', address: '10.0.0.1:80', state: 'ready' },
        { id: 'b', address: '10.0.0.2:80', state: 'ready' },
      ],
      dependencies: [{ name: 'Redis', connected: true }],
      hasIssues: false,
      issues: [],
    });
  });

  it('knows a node by its address where the rate limiter calls it something else', () => {
    const named = listed([]).map((node) => ({ ...node, id: `host-of-${node.id}` }));
    expect(snapshotOf(targets, named, [true, true]).hasIssues).toBe(false);
  });

  it.each([
    ['a node is stale', listed(['ready', 'stale']), [true, true], true, /b is stale/],
    ['a node is not listed', listed([]).slice(0, 1), [true, true], true, /b is not among/],
    ['a node does not reach Redis', listed([]), [true, false], false, /b does not reach Redis/],
    ['a node does not answer', listed([]), [true, 'b: GET /health failed'], false, /GET \/health failed/],
    ['no node lists the others', 'a: GET /nodes failed', [true, true], true, /no node lists/],
  ] as const)('has issues where %s', (_, listing, healths, connected, issue) => {
    const snapshot = snapshotOf(targets, listing, healths);
    expect(snapshot).toMatchObject({ hasIssues: true, dependencies: [{ connected }] });
    expect(snapshot.issues.join('\n')).toMatch(issue);
    expect(snapshot.nodes).toHaveLength(2);
  });

  it('is not connected where there is nobody', () => {
    expect(snapshotOf([], [], [])).toMatchObject({ dependencies: [{ connected: false }], hasIssues: true });
  });
});

describe('a look at many nodes', () => {
  const PODS = 200;
  /** The longest list that is read: 64 KiB. */
  const nodes = JSON.stringify(
    Array.from({ length: 1000 }, (_, i) => ({ id: `${i}`, address: '10.0.0.1:80', state: 'ready' })),
  );

  /** Nodes at one address; `lists` answers GET /nodes. */
  async function nodesAt(lists: RequestListener) {
    let listings = 0;
    const server = createServer((request, response) => {
      if (request.url === '/health') return void response.end('{"redisConnected":true}');
      listings += 1;
      return lists(request, response);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const all = Array.from({ length: PODS }, (_, i) => ({ name: `${i}`, host: '127.0.0.1', port }));
    const clients = all.map((node) => new LimiterClient(node, 5000, 2));
    onTestFinished(() => clients.forEach((client) => void client.close()));
    const look = async () => await lookAtLimiter({ clients, nodes: all }, new AbortController().signal);
    return { look, listings: () => listings };
  }

  it('reads one list, however many there are', async () => {
    const { listings, look } = await nodesAt((_, response) => void response.end(nodes));
    expect((await look()).issues).toEqual([]);
    expect(listings()).toBe(1);
  });

  it('reads the list of another node where the first has none', async () => {
    let asked = 0;
    const { listings, look } = await nodesAt((_, response) => {
      asked += 1;
      response.end(asked === 1 ? '{}' : nodes);
    });
    expect((await look()).issues).toEqual([]);
    expect(listings()).toBe(2);
  });

  it('reads no more than two lists where nobody has one', async () => {
    const { listings, look } = await nodesAt((_, response) => void response.end('{}'));
    expect((await look()).issues[0]).toMatch(
      /no node lists the others: 0: GET \/nodes answered 200, but not/,
    );
    expect(listings()).toBe(2);
  });
});

describe('a look at pods that are something else', () => {
  /** The issues of a look at one pod that answers so. */
  async function issuesOf(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    onTestFinished(() => server.closeAllConnections());
    return await issuesAt(server);
  }

  async function issuesAt(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const node = { name: 'api-0', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const client = new LimiterClient(node, 2000, 2);
    onTestFinished(() => client.close());
    const seen = await lookAtLimiter({ clients: [client], nodes: [node] }, new AbortController().signal);
    return seen.issues.join('; ');
  }

  it('says what was asked, what came back, and which field to set', async () => {
    const issues = await issuesOf((_, response) => response.writeHead(404).end('<h1>Not found</h1>'));
    expect(issues).toMatch(/^the pods answer, but not as .*set subject.rateLimiter.interface.type to HTTP/);
    expect(issues).toMatch(/api-0: GET \/nodes answered 404: no reason given/);
    expect(issues).not.toContain('h1');
  });

  it('names the port where what answers is no HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.end('-ERR unknown command\r\n');
    });
    expect(await issuesAt(server)).toMatch(/^the pods answer, but .* or correct subject\.rateLimiter\.port/);
  });

  it('says nothing of the interface where nobody answers', async () => {
    expect(await issuesOf((request) => void request.socket.destroy())).not.toContain('interface.type');
  });
});
