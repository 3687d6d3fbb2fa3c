import { type KubeObject, Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';
import { expect, it, onTestFinished } from 'vitest';
import { APIS, createNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

it.each(APIS)('lists in pages and follows changes into and out of its selector: %s', async (_, open) => {
  const client = open();
  onTestFinished(() => client.close());
  const namespace = await createNamespace(client);
  const path = resourcePath(configMaps, { namespace });
  const write = async (method: 'POST' | 'PUT', name: string, v: string, labels = {}): Promise<unknown> =>
    await client.request({
      method,
      path: method === 'POST' ? path : `${path}/${name}`,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { v } },
    });
  const on = { on: 'yes' };
  for (const name of ['a', 'b', 'c']) await write('POST', name, '1', on);
  await write('POST', 'other', '1');

  const store = new Store<ConfigMap>(silent);
  const seen: string[] = [];
  store.subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name} ${object.data?.['v']}`));
  const selection = { labelSelector: 'on=yes', pageSize: 2 };
  const reflector = new Reflector<ConfigMap>({ client, path, store, logger: silent, ...selection });
  const stop = new AbortController();
  const run = reflector.run(stop.signal);
  onTestFinished(async () => {
    stop.abort(new Error('the test is over'));
    await run;
  });
  await reflector.waitForSync(stop.signal);
  expect(store.get(`${namespace}/a`)).toMatchObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    data: { v: '1' },
  });
  expect(seen.toSorted()).toEqual(['added a 1', 'added b 1', 'added c 1']);

  seen.length = 0;
  await write('PUT', 'a', '2', on);
  await client.request({ method: 'DELETE', path: `${path}/b` });
  await write('PUT', 'c', '2');
  await write('PUT', 'other', '2', on);
  await until(() => seen.length >= 4, { what: 'four changes' });
  // An object that leaves the selector is reported with its last state that matched.
  expect(seen).toEqual(['updated a 2', 'deleted b 1', 'deleted c 1', 'added other 2']);
  expect(store.list().every((object) => !('managedFields' in object.metadata))).toBe(true);
});
