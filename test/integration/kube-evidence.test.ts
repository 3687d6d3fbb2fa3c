/** Evidence in ConfigMaps, kept at a real API server with the rights that ship. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChaosDemo } from '../../src/api/index.ts';
import { isNotFound } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeEvidence } from '../../src/operator/evidence/kube-evidence.ts';
import type { EvidenceStore, EvidenceWrite, KeptEvidence } from '../../src/operator/shell/ports.ts';
import { uniqueNamespace } from '../kit/control-plane.ts';
import { adminClient, bindTarget, operatorClient } from '../kit/operator-account.ts';
import { until } from '../kit/until.ts';

interface ConfigMap {
  readonly metadata: {
    readonly uid: string;
    readonly labels?: Record<string, string>;
    readonly ownerReferences?: object[];
  };
  readonly data?: Record<string, string>;
  readonly immutable?: boolean;
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
  await until(async () => (await keep(99, { probe: 'x' })).state === 'kept', {
    what: 'the binding to be in force',
  });
});

const keep = (run: number, files: Record<string, string>, stored?: KeptEvidence, of = demo) =>
  store.keep(of, run, files, stored, never);
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
const storedOf = (write: EvidenceWrite): KeptEvidence => {
  if (write.state !== 'kept') throw new Error(JSON.stringify(write));
  return write.stored;
};

describe('the ConfigMap of a run', () => {
  it('is owned by its ChaosDemo, carries labels, and takes one file after the other', async () => {
    const first = storedOf(await keep(1, { 'run.json': '1', 'scenario-1.json': 'a' }));
    storedOf(await keep(1, { 'run.json': '2' }, first));
    expect(await read('demo-evidence-1')).toMatchObject({
      metadata: {
        uid: first.uid,
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
      data: { 'run.json': '2', 'scenario-1.json': 'a' },
    });
  });

  it('is taken over by a successor, who knows of no write before', async () => {
    await keep(1, { 'run.json': '1', 'scenario-1.json': 'a' });
    expect(await keep(1, { 'run.json': '2' })).toMatchObject({ state: 'kept' });
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': '2', 'scenario-1.json': 'a' });
  });

  it('is written though a person annotates it between two writes', async () => {
    const stored = storedOf(await keep(1, { 'run.json': '1' }));
    await admin.request({
      method: 'PATCH',
      path: pathOf('demo-evidence-1'),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { note: 'keep this' } } },
    });
    storedOf(await keep(1, { 'run.json': '2' }, stored));
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': '2' });
  });

  it('of somebody else is never written or removed, whatever its name', async () => {
    const owners = [
      [],
      [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: demo.metadata.uid }],
      [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo', uid: randomUUID() }],
    ];
    for (const [run, ownerReferences] of owners.entries()) {
      const name = `demo-evidence-${run + 1}`;
      const made = await make(name, { metadata: { name, ownerReferences }, data: { precious: 'yes' } });
      expect(await keep(run + 1, { 'run.json': '1' })).toEqual({
        state: 'refused',
        message: `ConfigMap ${name} is not of this ChaosDemo, so it is left alone: delete or rename it`,
      });
      await store.remove(demo, run + 1, never);
      expect(await read(name)).toEqual(made);
    }
  });

  it('of an earlier ChaosDemo of the name is waited for, and not written', async () => {
    await keep(1, { 'run.json': 'earlier' });
    const later = demoIn(namespace);
    expect(await keep(1, { 'run.json': 'later' }, undefined, later)).toMatchObject({
      state: 'taken',
      message: expect.stringMatching(/has not gone/),
    });
    await store.remove(later, 1, never);
    expect((await read('demo-evidence-1'))?.data).toEqual({ 'run.json': 'earlier' });
    await store.remove(demo, 1, never);
    expect(await keep(1, { 'run.json': 'later' }, undefined, later)).toMatchObject({ state: 'kept' });
  });

  it('that was deleted meanwhile is said to be gone, also where another has its name by now', async () => {
    const stored = storedOf(await keep(1, { 'run.json': '1' }));
    await admin.request({ method: 'DELETE', path: pathOf('demo-evidence-1') });
    expect(await keep(1, { 'run.json': '2' }, stored)).toEqual({ state: 'gone' });
    const made = await make('demo-evidence-1', { data: { precious: 'yes' } });
    expect(await keep(1, { 'run.json': '2' }, stored)).toEqual({ state: 'gone' });
    expect(await keep(1, { 'run.json': '2' })).toMatchObject({ state: 'refused' });
    expect(await read('demo-evidence-1')).toEqual(made);
  });

  it('that nobody may change any more is refused with the reason', async () => {
    const stored = storedOf(await keep(1, { 'run.json': '1' }));
    await admin.request({
      method: 'PATCH',
      path: pathOf('demo-evidence-1'),
      contentType: 'application/merge-patch+json',
      body: { immutable: true },
    });
    expect(await keep(1, { 'run.json': '2' }, stored)).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/immutable/),
    });
  });

  it('is removed with a run that is too old, and only that one', async () => {
    for (const run of [1, 2]) await keep(run, { 'run.json': '1' });
    await store.remove(demo, 1, never);
    await store.remove(demo, 7, never);
    expect([await read('demo-evidence-1'), await read('demo-evidence-2')]).toEqual([
      undefined,
      expect.anything(),
    ]);
  });

  it('is refused where the right is missing, with what to do', async () => {
    const other = demoIn(await uniqueNamespace('evidence'));
    expect(await keep(1, { 'run.json': '1' }, undefined, other)).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/cannot create resource "configmaps".*ClusterRole chaosdemo-target/),
    });
  });
});
