import type { KubeClient, KubeRequest } from '@chaosdemo/kube-runtime';
import { expect, it } from 'vitest';
import { findRedis } from './redis.ts';

const ofPrimary = { app: 'redis', isMaster: 'true' };

function service(name: string, selector: object): object {
  return { metadata: { name }, spec: { selector, ports: [{ port: 6379 }] } };
}

function pod(name: string, labels: object): object {
  const conditions = [{ type: 'Ready', status: 'True' }];
  const status = { phase: 'Running', podIP: '10.0.0.1', conditions };
  return { metadata: { name, uid: name, labels }, spec: { containers: [{ name: 'redis' }] }, status };
}

/** A namespace with three pods of Redis, of which one is the primary. */
function found(...services: object[]) {
  const pods = [
    pod('redis-0', ofPrimary),
    pod('redis-1', { app: 'redis' }),
    pod('redis-2', { app: 'redis' }),
  ];
  const request = async ({ path }: KubeRequest) => ({ items: path.endsWith('/pods') ? pods : services });
  const client = { request } as unknown as KubeClient;
  const context = { client, namespace: 'shop', kubectl: 'kubectl', signal: AbortSignal.timeout(5000) };
  return findRedis(context, { name: 'api' }, undefined);
}

it('of the Services of a replicated Redis, that of the primary is found', async () => {
  const { endpoint, service: name } = await found(
    service('redis', { app: 'redis' }),
    service('redis-headless', { app: 'redis' }),
    service('redis-primary', ofPrimary),
  );
  expect(name).toBe('redis-primary');
  expect(endpoint.podName).toBe('redis-0');
});

it('a Service of all pods is found if there is no other, with their number', async () => {
  const { finding, service: name } = await found(
    service('redis-b', { app: 'redis' }),
    service('redis-a', { app: 'redis' }),
  );
  expect(name).toBe('redis-a');
  expect(finding.because).toMatch(/redis-0 and 2 other pods/);
});
