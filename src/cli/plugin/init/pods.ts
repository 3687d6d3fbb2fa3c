/** The fields of pods and workloads that `init` reads. */
import { corePath } from '@chaosdemo/kube-runtime';
import type { V1Container } from '@kubernetes/client-node';
import type { Container, Pod } from '../../../subjects/cluster.ts';
import { type CheckContext, read } from '../doctor/check-context.ts';

export interface PodDetail extends Pod {
  readonly spec?: NonNullable<Pod['spec']> & { readonly containers: readonly ContainerDetail[] };
}

export type ContainerDetail = Container &
  Pick<V1Container, 'env' | 'envFrom' | 'livenessProbe' | 'readinessProbe'>;

/** What the discovery needs of the user's cluster. */
export type Cluster = Omit<CheckContext, 'system'>;

/** At most so many pods of a namespace are read. */
const MOST_PODS = 1000;

/** Pods with these labels; without a selector, all of the namespace. */
export async function listPods(context: Cluster, labelSelector?: string): Promise<readonly PodDetail[]> {
  const path = corePath('pods', { namespace: context.namespace });
  const list = await read<{ items: PodDetail[] }>(context, path, {
    query: { labelSelector, limit: MOST_PODS },
  });
  return list?.items ?? [];
}
