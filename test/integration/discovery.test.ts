/** Which targets are eligible, by a real API server and the rights that ship; each rejection by its real cause. */
import { randomUUID } from 'node:crypto';
import type { KubeClient } from '@chaosdemo/kube-runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKubeCluster } from '../../src/operator/adapters/kube-cluster.ts';
import { createSystemClock } from '../../src/operator/adapters/system-clock.ts';
import { createLogger } from '../../src/operator/log.ts';
import { type DiscoveredTarget, discover, type Place } from '../../src/subjects/admission/discovery.ts';
import type { Cluster } from '../../src/subjects/cluster.ts';
import {
  completed,
  PART,
  type RateLimiterSpec,
  rateLimiterSchema,
} from '../../src/subjects/ratelimiter/spec/schema.ts';
import { orRefusal, Refusal } from '../../src/subjects/targets/refusal.ts';
import { adminKubectl, uniqueNamespace } from '../kit/control-plane.ts';
import { adminClient, bindTarget, operatorClient, untilBound } from '../kit/operator-account.ts';

const labels = { 'app.kubernetes.io/name': 'ratelimiter' };
const redisLabels = { 'app.kubernetes.io/name': 'redis' };

let namespace: string;
let admin: KubeClient;
let operator: KubeClient;
/** As the operator sees it. */
let cluster: Cluster;

beforeEach(async () => {
  namespace = await uniqueNamespace('discovery', { 'chaosdemo.dev/enabled': 'true' });
  admin = adminClient();
  operator = await operatorClient();
  cluster = createKubeCluster(
    operator,
    createSystemClock(),
    createLogger({ level: 'fatal', identity: 'test' }),
  );
});

describe('discover, if everything is in place', () => {
  beforeEach(async () => {
    await bindTarget(namespace);
    await create('pods', podObject('limiter-1', { ip: '127.0.0.2' }));
    await create('pods', podObject('limiter-2', { ip: '127.0.0.3' }));
    await create('pods', redisPod('redis-0'));
    await create('services', serviceObject('redis'));
    await create('secrets', secretObject());
  });

  it('resolves the pods and the Redis, and changes with the cluster', async () => {
    await create('pods', podObject('limiter-0', { ip: '127.0.0.4', ready: false }));
    await create(
      'pods',
      podObject('other', { ip: '127.0.0.5', labels: { 'app.kubernetes.io/name': 'else' } }),
    );
    const node = (name: string, host: string) => ({
      name,
      uid: expect.any(String) as string,
      host,
      port: 8080,
      imageId: 'limiter@sha256:1',
    });
    expect(await look()).toEqual({
      pods: [node('limiter-1', '127.0.0.2'), node('limiter-2', '127.0.0.3')],
      notReady: ['limiter-0'],
      addresses: ['127.0.0.4', '127.0.0.2', '127.0.0.3'],
      redis: [
        {
          podName: 'redis-0',
          namespace,
          podUid: expect.any(String) as string,
          host: '127.0.0.7',
          port: 6380,
          tls: true,
          setting: 'rateLimiter.redis',
          servername: `redis.${namespace}.svc`,
          username: 'chaosdemo',
          password: 'operator-secret',
        },
      ],
      http: {},
    });

    await setLabel('no');
    await expectRefused({}, 'NamespaceNotEnabled', /is not enabled for chaos/);
  });

  it("discovery sends a Secret's password only to the Service it belongs to", async () => {
    await create('services', serviceObject('trap'));
    const trap = { redis: { serviceName: 'trap', authSecretName: 'redis-auth', tls: {} } };
    await expectRefused(trap, 'RedisAuthInvalid', /Secret redis-auth .*not for Service trap: .*key service/);
    const refusal = await look(trap);
    if (!(refusal instanceof Refusal)) expect.unreachable('was not refused');
    await adminKubectl().run([
      ...['-n', namespace, 'patch', 'secret', 'redis-auth', '--type=merge'],
      ...['-p', /-p '(.*)'$/.exec(refusal.message)?.[1] ?? ''],
    ]);
    for (const service of [trap, {}])
      expect((await found(service)).redis[0].password).toBe('operator-secret');
  });

  it('may do no more than it needs, there and elsewhere', async () => {
    const other = await uniqueNamespace('discovery');
    const forbidden: [string, string][] = [
      ['GET', `/api/v1/namespaces/${namespace}/secrets`],
      ['GET', `/api/v1/namespaces/${namespace}/configmaps`],
      ['DELETE', `/api/v1/namespaces/${namespace}/pods/limiter-1`],
      ['GET', `/api/v1/namespaces/${other}/pods`],
      ['GET', `/api/v1/namespaces/${other}/secrets/any`],
      ['GET', '/api/v1/pods'],
      ['GET', '/api/v1/namespaces'],
      ['GET', '/api/v1/namespaces/chaosdemo-system/configmaps'],
      ['DELETE', `/apis/chaosdemo.dev/v1alpha1/namespaces/${namespace}/chaosdemos/any`],
    ];
    for (const [method, path] of forbidden) {
      const call = operator.request({ method: method as 'GET', path });
      await expect(call, `${method} ${path}`).rejects.toMatchObject({ status: 403 });
    }
  });
});

describe('discover, if the namespace does not take part', () => {
  it('gives the command that puts the label on', async () => {
    await setLabel(undefined);
    const { message } = await expectRefused({}, 'NamespaceNotEnabled', /is not enabled for chaos/);
    await runCommandIn(message);
    await expectRefused({}, 'PermissionDenied', /pods/);
  });

  it('gives the command that makes the RoleBinding', async () => {
    const { message } = await expectRefused({}, 'PermissionDenied', /cannot list resource "pods"/);
    await runCommandIn(message);
    await untilBound(namespace);
    await expectRefused({}, 'NoSuchPods', /matches no pod/);
  });
});

type Part = Partial<Record<keyof RateLimiterSpec, unknown>>;

function placeOf(part: Part = {}): Place {
  const redis = { serviceName: 'redis', authSecretName: 'redis-auth', tls: {} };
  const limiter = completed(
    rateLimiterSchema.parse({
      selector: { matchLabels: labels },
      redis,
      ...part,
    }),
  );
  return { cluster, namespace, part: PART, spec: limiter };
}

async function look(part: Part = {}): Promise<DiscoveredTarget | Refusal> {
  const place = placeOf(part);
  return await orRefusal(place.namespace, () => discover(place, new AbortController().signal));
}

async function found(part: Part = {}): Promise<DiscoveredTarget> {
  const target = await look(part);
  if (target instanceof Refusal) throw target;
  return target;
}

async function expectRefused(part: Part, reason: string, message: RegExp): Promise<Refusal> {
  const refusal = await look(part);
  if (!(refusal instanceof Refusal)) expect.unreachable('was not refused');
  expect(refusal.admission).toEqual({
    state: 'refused',
    reason,
    message: expect.stringMatching(message) as string,
  });
  return refusal;
}

/** Does what a message says: the admin runs the kubectl command in it. */
async function runCommandIn(message: string): Promise<void> {
  const command = /kubectl (.*)$/.exec(message)?.[1] ?? '';
  await adminKubectl().run(command.split(' '));
}

async function setLabel(value: string | undefined): Promise<void> {
  await admin.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}`,
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { 'chaosdemo.dev/enabled': value ?? null } } },
  });
}

type Created = { metadata: { name: string; labels?: object }; status?: object; [field: string]: unknown };

/** Creates an object, and its status where it has one. */
async function create(plural: string, object: Created): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/${plural}`;
  await admin.request({ method: 'POST', path, body: object });
  const { metadata, status } = object;
  if (status === undefined) return;
  await admin.request({
    method: 'PATCH',
    path: `${path}/${metadata.name}/status`,
    contentType: 'application/merge-patch+json',
    body: { status },
  });
}

interface PodOptions {
  ip: string;
  labels?: Record<string, string>;
  ready?: boolean;
  port?: { name: string; containerPort: number };
}

function podObject(name: string, options: PodOptions): Created {
  const { ip, ready = true, port = { name: 'http', containerPort: 8080 } } = options;
  const container = { name: 'app', image: 'limiter:1' };
  const state = { ready, restartCount: 0 };
  return {
    metadata: { name, labels: options.labels ?? labels },
    spec: { nodeName: 'local', containers: [{ ...container, ports: [port] }] },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [
        // A sidecar that restarts does not restart the limiter.
        { name: 'proxy', image: 'proxy:1', imageID: '', containerID: `test://${randomUUID()}`, ...state },
        { ...container, imageID: 'limiter@sha256:1', ...state },
      ],
    },
  };
}

function redisPod(name: string): Created {
  const port = { name: 'redis', containerPort: 6380 };
  return podObject(name, { ip: '127.0.0.7', labels: redisLabels, port });
}

function serviceObject(name: string): Created {
  return {
    metadata: { name },
    spec: { selector: redisLabels, ports: [{ port: 6379, targetPort: 'redis' }] },
  };
}

function secretObject(): Created {
  const stringData = { username: 'chaosdemo', password: 'operator-secret' };
  return { metadata: { name: 'redis-auth' }, type: 'chaosdemo.dev/redis-auth', stringData };
}
