/** How integration tests get at the control plane that global-setup.ts started. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type KubeApi, KubeClient, type KubeClientOptions } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { MemoryApi } from '@chaosdemo/kube-runtime/memory';
import { Kubectl, writeKubeconfig } from '@chaosdemo/testbed';
import { inject } from 'vitest';
import { folderOfTest } from './folder.ts';

/** kubectl as the cluster's admin. */
export function adminKubectl(): Kubectl {
  const { binaries, kubeconfig } = inject('controlPlane');
  return new Kubectl(binaries.kubectl, kubeconfig);
}

/** The control plane that all files share, as its admin has it. */
export const sharedControlPlane = () => ({ ...inject('controlPlane'), kubectl: adminKubectl() });

/** A client as the cluster's admin; the caller closes it. */
export function connectAsAdmin(options: KubeClientOptions = {}): KubeClient {
  return new KubeClient(loadKubeConfig(inject('controlPlane').kubeconfig), { timeoutMs: 60_000, ...options });
}

/** The two API servers, which behave alike: by name, with how to connect. */
export const APIS: readonly (readonly [string, () => KubeApi])[] = [
  ['a real API server', connectAsAdmin],
  ['in memory', () => new MemoryApi()],
];

/** As `uniqueNamespace`, without starting a kubectl for it. */
export async function createNamespace(client: KubeApi): Promise<string> {
  const name = `kube-${randomBytes(4).toString('hex')}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await client.request({ method: 'POST', path: '/api/v1/namespaces', body });
  return name;
}

/** Makes a namespace that no other test uses and returns its name. It stays: nothing finalizes namespaces here. */
export async function uniqueNamespace(
  prefix = 'test',
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await adminKubectl().createNamespace(name, labels);
  return name;
}

/** Path of a kubeconfig for the holder of a token; it is removed when the running test has finished. */
export async function kubeconfigFor(token: string, namespace = 'default'): Promise<string> {
  const folder = folderOfTest();
  return await writeKubeconfig(join(folder, 'kubeconfig'), inject('controlPlane'), token, namespace);
}
