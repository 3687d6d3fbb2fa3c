/** The operator as the API server sees it: its own ServiceAccount with the rights that ship, never the admin. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { KubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { adminKubectl, connectAsAdmin, kubeconfigFor } from './control-plane.ts';

const manifests = fileURLToPath(new URL('../../manifests/operator', import.meta.url));

/** As manifests/operator names them. */
export const OPERATOR = { namespace: 'chaosdemo-system', serviceAccount: 'chaosdemo-operator' } as const;

/** Lets a namespace take part, by the shipped RoleBinding. */
export async function bindTarget(namespace: string): Promise<void> {
  const file = `${manifests}/enable-namespace/role-binding.yaml`;
  await adminKubectl().apply(await readIn(file, namespace));
}

/** The objects of a shipped file, in another namespace. */
export async function readIn(file: string, namespace: string): Promise<string> {
  const documents = parseAllDocuments(await readFile(file, 'utf8'));
  const objects = documents.map((document) => document.toJS() as { metadata: object });
  return objects
    .map((object) => stringify({ ...object, metadata: { ...object.metadata, namespace } }))
    .join('---\n');
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
