/** Evidence in ConfigMaps, kept at a real API server with the rights that ship. */
import { randomUUID } from 'node:crypto';
import { isNotFound, type KubeClient } from '@chaosdemo/kube-runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { createKubeEvidence } from '../../src/operator/evidence/kube-evidence.ts';
import type { EvidenceStore } from '../../src/operator/shell/ports.ts';
import { uniqueNamespace } from '../kit/control-plane.ts';
import { adminClient, bindTarget, operatorClient } from '../kit/operator-account.ts';

interface ConfigMap {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Record<string, string>;
    readonly ownerReferences?: object[];
  };
  readonly data?: Record<string, string>;
}

const never = new AbortController().signal;
let namespace: string;
let store: EvidenceStore;
let admin: KubeClient;
let demo: ChaosDemo;

const demoIn = (place: string): ChaosDemo =>
  ({ metadata: { name: 'demo', namespace: place, uid: randomUUID() } }) as ChaosDemo;

beforeEach(async () => {
  namespace = await uniqueNamespace('evidence', { 'chaosdemo.dev/enabled': 'true' });
  await bindTarget(namespace);
  [store, admin] = [createKubeEvidence(await operatorClient()), adminClient()];
  demo = demoIn(namespace);
});

const keep = (run: number, files: Record<string, string>, uid?: string, of = demo) =>
  store.keep(of, run, files, uid, never);
const pathOf = (name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
const read = async (name: string): Promise<ConfigMap | undefined> => {
  try {
    return await admin.request<ConfigMap>({ method: 'GET', path: pathOf(name) });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};
const make = async (name: string, body: object): Promise<ConfigMap> =>
  await admin.request<ConfigMap>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    body: { metadata: { name }, ...body },
  });
describe('the ConfigMap of a run', () => {
  it('is owned by its ChaosDemo, carries labels, and takes one file after the other', async () => {
    const uid = await keep(1, { 'run.json': '1', 'diagnosis-1.json': 'a' });
    expect(await keep(1, { 'run.json': '2' }, uid)).toBe(uid);
    expect(await read('demo-evidence-1')).toMatchObject({
      metadata: {
        uid,
        labels: { 'chaosdemo.dev/evidence-of': 'demo', 'chaosdemo.dev/run': '1' },
        ownerReferences: [
          {
            apiVersion: 'chaosdemo.dev/v1alpha1',
            kind: 'ChaosDemo',
            name: 'demo',
            uid: demo.metadata.uid,
            controller: true,
          },
        ],
      },
      data: { 'run.json': '2', 'diagnosis-1.json': 'a' },
    });
  });

  it('is taken over by a successor, who knows of no write before', async () => {
    await keep(1, { 'run.json': '1', 'diagnosis-1.json': 'a' });
    await keep(1, { 'run.json': '2' });
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': '2', 'diagnosis-1.json': 'a' });
  });

  it('is written though a person annotates it between two writes', async () => {
    const uid = await keep(1, { 'run.json': '1' });
    await admin.request({
      method: 'PATCH',
      path: pathOf('demo-evidence-1'),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { note: 'keep this' } } },
    });
    await keep(1, { 'run.json': '2' }, uid);
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': '2' });
  });

  it('a ConfigMap of another owner is never written or removed', async () => {
    const owners = [
      [],
      [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: demo.metadata.uid }],
      [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo', uid: randomUUID() }],
    ];
    for (const [run, ownerReferences] of owners.entries()) {
      const name = `demo-evidence-${run + 1}`;
      const made = await make(name, { metadata: { name, ownerReferences }, data: { precious: 'yes' } });
      await expect(keep(run + 1, { 'run.json': '1' })).rejects.toThrow(
        new RegExp(`^ConfigMap ${name} is not .*: delete`),
      );
      expect(await store.remove(demo, run + 1, never)).toBe(false);
      expect(await read(name)).toEqual(made);
    }
  });

  it('a ConfigMap of an earlier ChaosDemo is not written until it is gone', async () => {
    await keep(1, { 'run.json': 'earlier' });
    const later = demoIn(namespace);
    await expect(keep(1, { 'run.json': 'later' }, undefined, later)).rejects.toThrow(/has not gone/);
    await store.remove(later, 1, never);
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': 'earlier' });
    await store.remove(demo, 1, never);
    await keep(1, { 'run.json': 'later' }, undefined, later);
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': 'later' });
  });

  it('is removed with a run that is too old, and only that one', async () => {
    for (const run of [1, 2]) await keep(run, { 'run.json': '1' });
    expect([await store.remove(demo, 1, never), await store.remove(demo, 7, never)]).toEqual([true, false]);
    expect([await read('demo-evidence-1'), await read('demo-evidence-2')]).toEqual([
      undefined,
      expect.anything(),
    ]);
  });

  it('a write without the right fails with what to do', async () => {
    const other = demoIn(await uniqueNamespace('evidence'));
    await expect(keep(1, { 'run.json': '1' }, undefined, other)).rejects.toThrow(
      /not create resource "configmaps".*ClusterRole chaosdemo-target/,
    );
  });
});
