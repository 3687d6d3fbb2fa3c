/** The operator as the API server sees it: its own ServiceAccount with the rights that ship, never the admin. */

import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { onTestFinished } from 'vitest';
import { adminKubectl, connectAsAdmin, kubeconfigFor } from './control-plane.ts';
import { shipped } from './operator.ts';

/** As manifests/operator names them. */
export const OPERATOR = { namespace: 'chaosdemo-system', serviceAccount: 'chaosdemo-operator' } as const;

/** Lets a namespace take part, by the shipped RoleBinding. */
export async function bindTarget(namespace: string, kubectl = adminKubectl()): Promise<void> {
  await kubectl.apply(await shipped('enable-namespace/role-binding.yaml', { namespace }));
}

/** A client with the operator's token; closed when the running test has finished. */
export async function operatorClient(): Promise<KubeClient> {
  const { namespace, serviceAccount } = OPERATOR;
  const token = await adminKubectl().serviceAccountToken(namespace, serviceAccount);
  return closedLater(new KubeClient(loadKubeConfig(await kubeconfigFor(token, namespace))));
}

/** A client as the cluster's admin; closed when the running test has finished. */
export function adminClient(): KubeClient {
  return closedLater(connectAsAdmin());
}

function closedLater(client: KubeClient): KubeClient {
  onTestFinished(() => client.close());
  return client;
}
