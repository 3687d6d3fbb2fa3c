import type { KubeApi, KubeObject } from '@chaosdemo/kube-runtime';
import { applyStatus, isConflict, resourcePath, writeFinalizers } from '@chaosdemo/kube-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS, createNamespace } from '../kit/control-plane.ts';

interface Deployment extends KubeObject {
  spec: object;
  status?: { replicas?: number; readyReplicas?: number };
}

// A built-in kind whose status has no other writer: there is no controller manager here.
const deployments = { group: 'apps', version: 'v1', plural: 'deployments' };
let client: KubeApi;

async function createDeployment(): Promise<Deployment> {
  const namespace = await createNamespace(client);
  return client.request<Deployment>({
    method: 'POST',
    path: resourcePath(deployments, { namespace }),
    body: manifest(),
  });
}

function manifest(): object {
  const labels = { app: 'a' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: { selector: { matchLabels: labels }, template },
  };
}

const where = ({ metadata: { namespace, name } }: KubeObject): string =>
  resourcePath(deployments, { namespace, name });
const read = (object: KubeObject): Promise<Deployment> =>
  client.request<Deployment>({ method: 'GET', path: where(object) });

function write(object: Deployment) {
  return { client, type: deployments, object, fieldManager: 'tester' };
}

async function annotate(object: Deployment, value: string): Promise<void> {
  const body = { metadata: { annotations: { note: value } } };
  await client.request({
    method: 'PATCH',
    path: where(object),
    body,
    contentType: 'application/merge-patch+json',
  });
}

describe.each(APIS)('%s', (_, connect) => {
  beforeAll(() => {
    client = connect();
  });
  afterAll(() => client.close());

  describe('applyStatus', () => {
    it('applyStatus writes the whole status, removes omitted fields, returns the object', async () => {
      const created = await createDeployment();
      const first = await applyStatus(write(created), { replicas: 3, readyReplicas: 2 });
      expect(first.status).toMatchObject({ replicas: 3, readyReplicas: 2 });
      const second = await applyStatus(write(first), { replicas: 4 });
      expect(second.status?.replicas).toBe(4);
      expect(second.status?.readyReplicas).toBeUndefined();
      expect((await read(created)).spec).toEqual(created.spec);
    });

    it('applyStatus conflicts if the object was written since it was read', async () => {
      const seen = await createDeployment();
      await annotate(seen, 'changed in between');
      await expect(applyStatus(write(seen), { replicas: 3 })).rejects.toSatisfy(isConflict);
      expect((await read(seen)).status?.replicas).toBeUndefined();
      const stored = await applyStatus(write(await read(seen)), { replicas: 3 });
      expect(stored.status?.replicas).toBe(3);
    });

    it('applyStatus conflicts if the object was deleted and created again', async () => {
      const seen = await createDeployment();
      await client.request({ method: 'DELETE', path: where(seen) });
      const path = resourcePath(deployments, { namespace: seen.metadata.namespace });
      const again = await client.request<Deployment>({ method: 'POST', path, body: manifest() });
      await expect(applyStatus(write(seen), { replicas: 3 })).rejects.toSatisfy(isConflict);
      // Even if the resource version were right, the uid differs.
      const { resourceVersion = '' } = again.metadata;
      const object = { ...seen, metadata: { ...seen.metadata, resourceVersion } };
      await expect(applyStatus(write(object), { replicas: 3 })).rejects.toThrow(/uid/i);
      expect((await read(again)).status?.replicas).toBeUndefined();
    });
  });

  describe('finalizers', () => {
    it('are replaced by those that are written', async () => {
      const finalizers = ['example.com/first', 'example.com/second'];
      const both = await writeFinalizers(write(await createDeployment()), finalizers);
      expect(both.metadata.finalizers).toEqual(finalizers);
      const one = await writeFinalizers(write(both), ['example.com/second']);
      expect(one.metadata.finalizers).toEqual(['example.com/second']);
    });

    it('a change of finalizers conflicts if the object was written since', async () => {
      const seen = await createDeployment();
      await writeFinalizers(write(seen), ['example.com/theirs']);
      await expect(writeFinalizers(write(seen), ['example.com/ours'])).rejects.toSatisfy(isConflict);
      expect((await read(seen)).metadata.finalizers).toEqual(['example.com/theirs']);
    });

    it('hold a deletion until removed, after which there is nothing left to remove from', async () => {
      const held = await writeFinalizers(write(await createDeployment()), ['example.com/ours']);
      await client.request({ method: 'DELETE', path: where(held) });
      const dying = await read(held);
      expect(dying.metadata.deletionTimestamp).toBeDefined();
      await writeFinalizers(write(dying), []);
      await expect(read(held)).rejects.toMatchObject({ status: 404 });
      await expect(writeFinalizers(write(dying), [])).rejects.toMatchObject({ status: 404 });
    });
  });
});
