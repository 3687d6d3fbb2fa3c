import type { KubeObject, ReflectorOptions } from '@chaosdemo/kube-runtime';
import { type KubeApi, KubeClient, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { startControlPlane } from '@chaosdemo/testbed';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { APIS, createNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function connect(kubeconfig: string): KubeClient {
  const client = new KubeClient(loadKubeConfig(kubeconfig));
  onTestFinished(() => client.close());
  return client;
}

function reflect(client: KubeApi, namespace: string, options: Partial<ReflectorOptions<ConfigMap>> = {}) {
  const store = new Store<ConfigMap>(silent);
  const seen: string[] = [];
  store.subscribe(({ type, object }) =>
    seen.push(`${type} ${object.metadata.name} ${object.data?.['v'] ?? ''}`),
  );
  const failures: string[] = [];
  const stop = new AbortController();
  const reflector = new Reflector<ConfigMap>({
    client,
    path: resourcePath(configMaps, { namespace }),
    store,
    logger: { ...silent, warn: (_, message) => failures.push(message) },
    backoff: { baseMs: 20, maxMs: 500 },
    ...options,
  });
  const run = reflector.run(stop.signal);
  onTestFinished(async () => {
    stop.abort(new Error('the test is over'));
    await run;
  });
  return { store, seen, failures, reflector, signal: stop.signal };
}

function writer(client: KubeApi, namespace: string) {
  const path = resourcePath(configMaps, { namespace });
  const object = (name: string, v: string, labels: Record<string, string> = {}) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels },
    data: { v },
  });
  return {
    create: (name: string, v: string, labels?: Record<string, string>) =>
      client.request<ConfigMap>({ method: 'POST', path, body: object(name, v, labels) }),
    update: (name: string, v: string, labels?: Record<string, string>) =>
      client.request<ConfigMap>({ method: 'PUT', path: `${path}/${name}`, body: object(name, v, labels) }),
    remove: (name: string) => client.request({ method: 'DELETE', path: `${path}/${name}` }),
  };
}

describe('Reflector', () => {
  it.each(APIS)('lists in pages and follows changes into and out of its selector: %s', async (_, open) => {
    const client = open();
    onTestFinished(() => client.close());
    const namespace = await createNamespace(client);
    const write = writer(client, namespace);
    const on = { on: 'yes' };
    for (const name of ['a', 'b', 'c']) await write.create(name, '1', on);
    await write.create('other', '1');

    const { store, seen, reflector, signal } = reflect(client, namespace, {
      labelSelector: 'on=yes',
      pageSize: 2,
    });
    await reflector.waitForSync(signal);
    expect(store.get(`${namespace}/a`)).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { v: '1' },
    });
    expect(seen.toSorted()).toEqual(['added a 1', 'added b 1', 'added c 1']);

    seen.length = 0;
    await write.update('a', '2', on);
    await write.remove('b');
    await write.update('c', '2');
    await write.update('other', '2', on);
    await until(() => seen.length >= 4, { what: 'four changes' });
    // An object that leaves the selector is reported with its last state that matched.
    expect(seen).toEqual(['updated a 2', 'deleted b 1', 'deleted c 1', 'added other 2']);
    expect(store.list().every((object) => !('managedFields' in object.metadata))).toBe(true);
  });

  it('outlives a kill of the API server, and finds what changed', async () => {
    const controlPlane = await startControlPlane({ binaries: inject('controlPlane').binaries });
    onTestFinished(() => controlPlane.stop());
    const client = connect(controlPlane.kubeconfig);
    const write = writer(client, 'default');
    // Older than what the new server has in its watch cache, and gone when the reflector lists again.
    await write.create('stays', '1');
    await write.create('goes', '1');
    const { seen, store, failures } = reflect(client, 'default', {
      fieldSelector: 'metadata.name!=kube-root-ca.crt',
    });
    await until(() => store.list().length === 2, { what: 'both objects' });

    controlPlane.apiServer.kill('SIGKILL');
    await controlPlane.apiServer.exited;
    await until(() => failures.length > 0, { what: 'the reflector to notice' });
    await controlPlane.startApiServer();
    await write.remove('goes');
    await write.update('stays', '2');
    await write.create('new', '1');
    await until(() => seen.includes('added new 1'), { what: 'the new object' });
    await until(() => store.list().length === 2, { what: 'the deletion' });
    expect(store.get('default/stays')?.data).toEqual({ v: '2' });
    expect(seen.filter((line) => line.startsWith('deleted'))).toEqual(['deleted goes 1']);
    expect(seen.filter((line) => line.startsWith('added')).toSorted()).toEqual([
      'added goes 1',
      'added new 1',
      'added stays 1',
    ]);
  });
});
