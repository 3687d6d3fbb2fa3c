/** The fields of pods and workloads that `init` reads. */
import { resourcePath } from '@chaosdemo/kube-runtime';
import type { Container, Pod } from '../../../subjects/cluster.ts';
import { type CheckContext, read } from '../doctor/check-context.ts';

export interface PodDetail extends Pod {
  readonly spec?: NonNullable<Pod['spec']> & { readonly containers: readonly ContainerDetail[] };
}

export interface ContainerDetail extends Container {
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly configMapKeyRef?: { readonly name: string; readonly key: string };
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
    };
  }[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string };
  }[];
  readonly readinessProbe?: ProbeOfPod;
  readonly livenessProbe?: ProbeOfPod;
}

export interface ProbeOfPod {
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
}

/** What the discovery needs of the user's cluster. */
export type Cluster = Pick<CheckContext, 'client' | 'kubectl' | 'namespace' | 'signal'>;

/** At most so many pods of a namespace are read. */
const MOST_PODS = 1000;

/** Pods with these labels; without a selector, all of the namespace. */
export async function listPods(context: Cluster, labelSelector?: string): Promise<readonly PodDetail[]> {
  const path = resourcePath({ group: '', version: 'v1', plural: 'pods' }, { namespace: context.namespace });
  const list = await read<{ items: PodDetail[] }>(context, path, {
    query: { labelSelector, limit: MOST_PODS },
  });
  return list?.items ?? [];
}
