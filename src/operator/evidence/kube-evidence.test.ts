/** Writes of evidence against a server that answers slowly. */

import { sendJson, startWireServer } from '@chaosdemo/kube-runtime/testing';
import { expect, it } from 'vitest';
import { simulatedDemo } from '../../../test/simulation/simulated-subject.ts';
import { createKubeEvidence } from './kube-evidence.ts';

const demo = (namespace: string, name: string) =>
  simulatedDemo(undefined, { name, namespace, uid: `${namespace}-${name}` });

it('evidence writes leave connections to others, and to other namespaces', async () => {
  const server = await startWireServer(({ path }, response) => {
    if (path.includes('/slow/')) return;
    sendJson(response, { metadata: { uid: 'u', resourceVersion: '2' } });
  });
  const giveUp = new AbortController();
  const client = server.client({ connections: 5 });
  const evidence = createKubeEvidence(client);
  const keep = async (namespace: string, name: string) =>
    await evidence.keep(demo(namespace, name), 1, { 'run.json': '{}' }, undefined, giveUp.signal);
  const slow = Array.from({ length: 50 }, async (_, i) => await keep('slow', `demo-${i}`));
  const failed = Promise.allSettled(slow);
  expect(await keep('other', 'demo')).toBe('u');
  await client.request({ method: 'GET', path: '/apis/coordination.k8s.io/v1/leases', timeoutMs: 5000 });
  expect(server.requests.filter(({ path }) => path.includes('/slow/')).length).toBeLessThanOrEqual(2);
  giveUp.abort(new Error('enough'));
  expect((await failed).every(({ status }) => status === 'rejected')).toBe(true);
}, 20_000);
