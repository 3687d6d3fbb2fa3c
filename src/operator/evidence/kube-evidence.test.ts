/** Writes of evidence against a server that answers slowly, or has another object in their place. */

import { sendJson, sendStatus, startWireServer } from '@chaosdemo/kube-runtime/testing';
import { describe, expect, it } from 'vitest';
import { simulatedSpec } from '../../../test/simulation/simulated-subject.ts';
import { type ChaosDemo, messageOf } from '../../api/index.ts';
import { createKubeEvidence } from './kube-evidence.ts';

function demo(namespace: string, name: string): ChaosDemo {
  return {
    apiVersion: 'chaosdemo.dev/v1alpha1',
    kind: 'ChaosDemo',
    metadata: {
      name,
      namespace,
      uid: `${namespace}-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: simulatedSpec(),
  };
}

it('evidence writes leave connections to others, and to other namespaces', async () => {
  const server = await startWireServer(({ path }, response) => {
    if (path.includes('/slow/')) return;
    sendJson(response, { metadata: { uid: 'u', resourceVersion: '2' } });
  });
  const giveUp = new AbortController();
  try {
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
  } finally {
    await server.stop();
  }
}, 20_000);

describe('a ConfigMap that stands there already', () => {
  /** What becomes of a first write, and the body of the patch where one was sent. */
  async function keepBeside(owner: { readonly name: string; readonly uid: string }) {
    const name = 'demo-evidence-1';
    const metadata = {
      name,
      uid: 'u',
      resourceVersion: '2',
      ownerReferences: [{ kind: 'ChaosDemo', ...owner }],
    };
    const server = await startWireServer(({ method }, response) => {
      if (method === 'POST') sendStatus(response, 409, 'AlreadyExists');
      else sendJson(response, { metadata });
    });
    try {
      const evidence = createKubeEvidence(server.client());
      const files = { 'run.json': '{}' };
      const { signal } = new AbortController();
      const became = await evidence.keep(demo('ns', 'demo'), 1, files, undefined, signal).catch(messageOf);
      const sent = server.requests.map(({ body, method }) => [method, body && JSON.parse(body).data]);
      return { became, sent };
    } finally {
      await server.stop();
    }
  }

  it('is changed by a patch if this ChaosDemo owns it', async () => {
    const { became, sent } = await keepBeside({ name: 'demo', uid: 'ns-demo' });
    expect(became).toBe('u');
    expect(sent).toEqual([
      ['POST', { 'run.json': '{}' }],
      ['GET', ''],
      ['PATCH', { 'run.json': '{}' }],
    ]);
  });

  it('is not touched, and reported, if an earlier ChaosDemo of the name owns it', async () => {
    const { became, sent } = await keepBeside({ name: 'demo', uid: 'another' });
    expect(became).toContain('demo-evidence-1 belongs to');
    expect(sent.map(([method]) => method)).toEqual(['POST', 'GET']);
  });
});
