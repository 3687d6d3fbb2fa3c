/**
 * Operators side by side on one API server: each with a namespace, an account, a
 * leader lease and a kill switch of its own, and with the rights that ship.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { ENABLED_LABEL } from '../../src/api/index.ts';
import type { Kubectl } from '../../src/local/kubectl.ts';
import type { OperatorProcess } from '../../src/local/operator.ts';
import type { OwnedProcess, Supervisor } from '../../src/local/supervisor.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ACCOUNT = 'chaosdemo-operator';

/** Where an operator is, and which namespaces it looks after. */
export interface OperatorPlace {
  /** Of the operator itself. */
  readonly system: string;
  /** Those take part, and it follows no others. */
  readonly namespaces: readonly string[];
}

/** Makes the namespaces, enables those that take part, and gives the operator the rights that ship. */
export async function prepareOperator(
  kubectl: Kubectl,
  { system, namespaces }: OperatorPlace,
): Promise<void> {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: system } },
    ...namespaces.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { [ENABLED_LABEL]: 'true' } },
    })),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace: system } },
    ...(await shipped('role.yaml', system, system)),
    ...(await shipped('cluster-role.yaml', undefined, system)).filter(isBinding).map((binding) => ({
      ...binding,
      metadata: { ...binding.metadata, name: `${ACCOUNT}-${system}` },
    })),
  ];
  for (const namespace of namespaces) {
    objects.push(...(await shipped('enable-namespace/role-binding.yaml', namespace, system)));
  }
  await kubectl.apply(objects);
}

/** Starts it with the token of its account. It ends with the supervisor. */
export async function startOperatorIn(
  place: OperatorPlace,
  kubectl: Kubectl,
  kubeconfigFor: (name: string, token: string, namespace: string) => Promise<string>,
  supervisor: Supervisor,
): Promise<OperatorProcess> {
  const { system, namespaces } = place;
  const token = await kubectl.serviceAccountToken(system, ACCOUNT);
  const kubeconfig = await kubeconfigFor('operator', token, system);
  const logFile = join(supervisor.temporaryFolder('operator'), 'operator.log');
  const spawn = (): Promise<OwnedProcess> =>
    supervisor.start({
      name: 'operator',
      command: process.execPath,
      args: [
        join(root, 'src/operator/main.ts'),
        `--kubeconfig=${kubeconfig}`,
        `--namespace=${system}`,
        `--watch-namespaces=${namespaces.join(',')}`,
        '--http-host=127.0.0.1',
        '--http-port=0',
      ],
      logFile,
    });
  let running = await spawn();
  return {
    get process() {
      return running;
    },
    async start() {
      running = await spawn();
    },
    async stop() {
      // As long as the operator gives itself (25 s), and a little.
      await running.stop(30_000);
    },
  };
}

interface ShippedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly subjects?: readonly object[];
}

const isBinding = ({ kind }: ShippedObject): boolean => kind === 'ClusterRoleBinding';

/** The objects of a file of manifests/operator, in another namespace, bound to the account of `system`. */
async function shipped(
  file: string,
  namespace: string | undefined,
  system: string,
): Promise<ShippedObject[]> {
  const text = await readFile(join(root, 'manifests/operator', file), 'utf8');
  return parseAllDocuments(text).map((document) => {
    const object = document.toJS() as ShippedObject;
    return {
      ...object,
      metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
      ...(object.subjects
        ? { subjects: object.subjects.map((subject) => ({ ...subject, namespace: system })) }
        : {}),
    };
  });
}
