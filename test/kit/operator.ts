/**
 * Operators side by side on one API server: each with a namespace, an account, a
 * separate leader lease and kill switch, and with the rights that ship.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kubectl, Supervisor } from '@chaosdemo/testbed';
import { parseAllDocuments } from 'yaml';
import { ENABLED_LABEL } from '../../src/api/index.ts';
import {
  NO_COOLDOWN,
  type OperatorProcess,
  type SpawnOptions,
  spawnOperator,
} from '../../src/local/operator.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** ServiceAccount of every operator. */
export const OPERATOR_ACCOUNT = 'chaosdemo-operator';

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
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: OPERATOR_ACCOUNT, namespace: system } },
    ...(await shipped('role.yaml', { namespace: system, system })),
    ...(await shipped('cluster-role.yaml', { system })).filter(isBinding).map((binding) => ({
      ...binding,
      metadata: { ...binding.metadata, name: `${OPERATOR_ACCOUNT}-${system}` },
    })),
  ];
  for (const namespace of namespaces) {
    objects.push(...(await shipped('enable-namespace/role-binding.yaml', { namespace, system })));
  }
  await kubectl.apply(objects);
}

/** Starts it, with further arguments or as another program. It ends with the supervisor. */
export async function startOperatorIn(
  { system, namespaces }: OperatorPlace,
  controlPlane: SpawnOptions['controlPlane'],
  supervisor: Supervisor,
  args: readonly string[] = [],
  program?: SpawnOptions['program'],
): Promise<OperatorProcess> {
  return await spawnOperator({
    controlPlane,
    supervisor,
    account: { namespace: system, name: OPERATOR_ACCOUNT },
    // Many runs share one Redis, and none of them is about its rest.
    args: [`--watch-namespaces=${namespaces.join(',')}`, NO_COOLDOWN, ...args],
    ...(program && { program }),
  });
}

/** The page of metrics that an operator serves, requested once: the port is in its log. */
export async function metricsOf({ process }: Pick<OperatorProcess, 'process'>): Promise<string> {
  const portInLog = async () => /"port":(\d+)/.exec(await readFile(process.logFile, 'utf8'))?.[1];
  const port = await until(portInLog, { what: 'the operator to say on which port it serves' });
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (!response.ok) throw new Error(`/metrics of the operator answered ${response.status}`);
  return await response.text();
}

interface ShippedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly subjects?: readonly object[];
}

const isBinding = ({ kind }: ShippedObject): boolean => kind === 'ClusterRoleBinding';

/**
 * The objects of a file of manifests/operator: in `namespace`, and with their subjects in that of the operator,
 * `system`, where these are given.
 */
export async function shipped(
  file: string,
  { namespace, system }: { readonly namespace?: string; readonly system?: string },
): Promise<ShippedObject[]> {
  const text = await readFile(join(root, 'manifests/operator', file), 'utf8');
  return parseAllDocuments(text).map((document) => {
    const object = document.toJS() as ShippedObject;
    const subjects = system && object.subjects?.map((subject) => ({ ...subject, namespace: system }));
    return {
      ...object,
      metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) },
      ...(subjects ? { subjects } : {}),
    };
  });
}
