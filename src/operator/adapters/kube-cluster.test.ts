/** Lists of pods against a server that has what a tenant may make of them. */
import { spawn } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import type { WireRequest, WireServer } from '@chaosdemo/kube-runtime/testing';
import { sendJson, sendStatus, startWireServer } from '@chaosdemo/kube-runtime/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Cluster } from '../../subjects/cluster.ts';
import { createKubeCluster } from './kube-cluster.ts';
import { PodLists } from './pod-lists.ts';
import { createSystemClock } from './system-clock.ts';

const MIB = 1024 ** 2;
const never = new AbortController().signal;
let server: WireServer;

/** A pod as the API server sends it, with `ballast` bytes that the operator ignores. */
function pod(index: number, ballast: number): object {
  return {
    metadata: {
      name: `pod-${index}`,
      uid: `uid-${index}`,
      labels: { app: 'x', 'pod-template-hash': 'h' },
      annotations: { ballast: 'x'.repeat(ballast) },
      managedFields: [{ manager: 'kubectl' }],
    },
    spec: {
      hostNetwork: false,
      containers: [
        {
          name: 'app',
          image: 'app:1',
          env: [{ name: 'A', value: 'b' }],
          ports: [{ containerPort: 8080, hostPort: 1 }],
        },
      ],
      initContainers: [{ name: 'side', restartPolicy: 'Always', command: ['sleep'] }],
      volumes: [{ name: 'v' }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'x' }],
      containerStatuses: [{ name: 'app', imageID: 'sha256:1', restartCount: 3 }],
    },
  };
}

/** A server with so many pods of so many bytes, and `others` that no selector matches; it counts concurrent lists. */
async function setup(count: number, ballast: number, others = false) {
  const seen = { atOnce: 0, most: 0 };
  const answer = ({ query }: WireRequest, response: ServerResponse): void => {
    const from = Number(query.get('continue') ?? 0);
    const to = Math.min(count, from + Number(query.get('limit')));
    const items = Array.from({ length: to - from }, (_, i) => pod(from + i, ballast));
    seen.atOnce += 1;
    seen.most = Math.max(seen.most, seen.atOnce);
    response.on('close', () => {
      seen.atOnce -= 1;
    });
    // With a selector, the API server knows only that there are more objects, not whether they match.
    const more = to < count || (others && from < count);
    setTimeout(() => sendJson(response, { metadata: more ? { continue: String(to) } : {}, items }), 5);
  };
  server = await startWireServer(answer);
  const client = server.client({ connections: 32 });
  const cluster: Cluster = createKubeCluster(client, createSystemClock(), pino({ level: 'silent' }));
  return { client, cluster, seen };
}

it('lists pods page by page, and keeps of each what subjects read', async () => {
  const { cluster } = await setup(120, 10);
  const pods = await cluster.pods('shop', 'app=x', 200, never);
  expect(pods).toHaveLength(120);
  expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['51', '51', '51']);
  expect(pods[119]).toEqual({
    metadata: { name: 'pod-119', uid: 'uid-119', labels: { 'pod-template-hash': 'h' } },
    spec: {
      hostNetwork: false,
      containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 8080 }] }],
      initContainers: [{ name: 'side', restartPolicy: 'Always' }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', imageID: 'sha256:1' }],
    },
  });
});

describe('the memory of pods', () => {
  const usage = (...each: string[]) => each.map((memory) => ({ usage: { cpu: '1m', memory } }));
  const metricsOf = (name: string, ...memory: string[]) => ({
    metadata: { name },
    timestamp: '2026-01-01T00:00:10Z',
    containers: usage(...memory),
  });
  const at = Date.parse('2026-01-01T00:00:10Z');
  /** Of a server that sends this. */
  async function memory(answer: Parameters<typeof startWireServer>[0], isLocal: boolean) {
    server = await startWireServer(answer);
    const cluster = createKubeCluster(server.client(), createSystemClock(), pino({ level: 'silent' }));
    return await { ...cluster, localPods: isLocal }.memory('shop', 'app=x', never);
  }

  it('is that of metrics.k8s.io, the sum over the containers of a pod', async () => {
    const items = [metricsOf('a', '1024Ki', '2Mi'), metricsOf('b', '77'), metricsOf('c', '1Mi', '1.5Zi')];
    expect(await memory((_, response) => sendJson(response, { items }), false)).toEqual({
      a: { at, bytes: 3 * MIB },
      b: { at, bytes: 77 },
    });
    expect(server.requests).toMatchObject([{ path: '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods' }]);
    expect(server.requests[0]?.query.get('labelSelector')).toBe('app=x');
  });

  it('is not known if the cluster does not serve it', async () => {
    expect(await memory((_, response) => sendStatus(response, 404, 'NotFound'), false)).toEqual({});
  });

  it('is that of the group of processes that represents a local pod', async () => {
    const command = `'${process.execPath}' -e 'setInterval(() => {}, 1e6)' & wait`;
    const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'ignore' });
    const group = child.pid ?? Number.NaN;
    onTestFinished(() => void process.kill(-group));
    const podOf = (name: string, id: number) => ({
      metadata: { name, uid: name },
      status: { containerStatuses: [{ name: 'api', containerID: `process://${id}` }] },
    });
    // One that has ended is not known.
    const items = [podOf('a', group), podOf('b', 2 ** 30), { metadata: { name: 'c', uid: 'c' } }];
    await expect
      .poll(() => memory((_, response) => sendJson(response, { metadata: {}, items }), true))
      .toEqual({ a: { at: expect.any(Number), bytes: expect.toSatisfy((bytes) => bytes > 20 * MIB) } });
  });
});

it('reports too many pods as soon as their number is over the limit', async () => {
  const { cluster } = await setup(1000, 10);
  expect(await cluster.pods('shop', '', 200, never)).toBe('TooMany');
  expect(server.requests.length).toBeLessThanOrEqual(4);
});

it('a list with too many bytes is given up long before its end', async () => {
  const { client } = await setup(200, MIB);
  // A slow machine may need longer for so many bytes than a list may take.
  const query = { namespace: 'shop', labelSelector: '', most: 200, withinMs: 300_000 };
  expect(await new PodLists(client).list(query, never)).toBe('TooMany');
  expect(server.requests.length).toBeLessThan(25);
});

it('few lists are read at once, and no namespace takes all of them', async () => {
  const { cluster, seen } = await setup(200, 8192);
  const looks = Array.from({ length: 16 }, async (_, i) => {
    await cluster.pods(i < 12 ? 'noisy' : `other-${i}`, '', 200, never).catch(() => undefined);
    return i;
  });
  expect([12, 13, 14, 15]).toContain(await Promise.race(looks.slice(2)));
  await Promise.all(looks);
  expect(seen.most).toBeLessThanOrEqual(4);
});

it('lets no list of others wait before one for which a fault waits', async () => {
  server = await startWireServer(({ path }, response) => {
    if (path.includes('/shop/')) sendJson(response, { metadata: {}, items: [pod(0, 10)] });
  });
  const client = server.client({ connections: 32 });
  const cluster = createKubeCluster(client, createSystemClock(), pino({ level: 'silent' }));
  const stop = new AbortController();
  let over = 0;
  const slow = Array.from({ length: 8 }, async (_, i) => {
    const [namespace, timed] = [`slow-${i % 4}`, i >= 6 && i % 2 === 0];
    await cluster.pods(namespace, '', 200, stop.signal, timed).catch(() => undefined);
    over += 1;
  });
  expect(await cluster.pods('shop', '', 200, never, true)).toHaveLength(1);
  expect(await cluster.pod('shop', 'pod-0', never)).toBeDefined();
  expect(over).toBe(0);
  stop.abort(new Error('enough'));
  await Promise.all(slow);
});
