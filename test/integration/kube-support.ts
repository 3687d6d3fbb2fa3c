/** What the tests of the controller runtime share: a client and a namespace of their own. */
import { randomBytes } from 'node:crypto';

import { inject } from 'vitest';

import { KubeClient, type KubeClientOptions } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';

/** A client of the cluster's admin; whoever makes it closes it. */
export function adminClient(options: KubeClientOptions = {}): KubeClient {
  return new KubeClient(loadKubeConfig(inject('controlPlane').kubeconfig), { timeoutMs: 60_000, ...options });
}

/** Makes a namespace no other test uses, without starting a kubectl for it. It stays: nothing finalizes namespaces here. */
export async function createNamespace(client: KubeClient): Promise<string> {
  const name = `kube-${randomBytes(4).toString('hex')}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await client.request({ method: 'POST', path: '/api/v1/namespaces', body });
  return name;
}
