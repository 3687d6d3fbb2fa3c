/** The operator as the API server sees it: its own ServiceAccount with the rights that ship, never the admin. */

import { KubeClient, type KubeRequest } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { onTestFinished } from 'vitest';
import { adminKubectl, connectAsAdmin, kubeconfigFor } from './control-plane.ts';
import { shipped } from './operator.ts';
import { until } from './until.ts';

/** As manifests/operator names them. */
export const OPERATOR = { namespace: 'chaosdemo-system', serviceAccount: 'chaosdemo-operator' } as const;

/** Lets the operator into a namespace by the shipped RoleBinding. */
export async function bindTarget(namespace: string): Promise<void> {
  await adminKubectl().apply(await shipped('enable-namespace/role-binding.yaml', { namespace }));
  await untilBound(namespace);
}

/** Waits until the API server, which learns of a binding a moment after it took it, lets the operator in. */
export async function untilBound(namespace: string): Promise<void> {
  const admin = adminClient();
  const user = `system:serviceaccount:${OPERATOR.namespace}:${OPERATOR.serviceAccount}`;
  const review: KubeRequest = {
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { spec: { user, resourceAttributes: { namespace, verb: 'list', resource: 'pods' } } },
  };
  const isBound = async (): Promise<boolean> =>
    (await admin.request<{ status: { allowed: boolean } }>(review)).status.allowed;
  await until(isBound, { what: 'the binding to be in force' });
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
