/** The memory of pods: of metrics.k8s.io, or of processes of this machine that represent pods. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Pod, PodsMemory } from '../../subjects/cluster.ts';

/** Each pod is a group of processes. @throws without `ps` */
export async function memoryOfProcesses(pods: readonly Pod[], at: number): Promise<PodsMemory> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,rss=']);
  const groups = new Map<string, number>();
  for (const [, group = '', kibibytes] of stdout.matchAll(/(\d+)\s+(\d+)/g))
    groups.set(`process://${group}`, (groups.get(`process://${group}`) ?? 0) + 1024 * Number(kibibytes));
  const known = pods.flatMap(({ metadata, status }) => {
    const bytes = groups.get(status?.containerStatuses?.[0]?.containerID ?? '');
    return bytes === undefined ? [] : [[metadata.name, { at, bytes }] as const];
  });
  return Object.fromEntries(known);
}

/** The fields of a PodMetricsList that are read. */
export interface PodMetricsList {
  items: readonly {
    metadata: { name: string };
    timestamp: string;
    containers: readonly { usage: { memory: string } }[];
  }[];
}

/** Of a quantity of Kubernetes; NaN: it has another unit. */
function bytesOf(quantity: string): number {
  const [, value, unit = ''] = /^(\d{1,15})([KMG]i)?$/.exec(quantity) ?? [];
  return Number(value) * 1024 ** ['', 'Ki', 'Mi', 'Gi'].indexOf(unit);
}

/** @param list undefined: metrics are not served */
export function memoryByMetrics(list: PodMetricsList | undefined): PodsMemory {
  const known = (list?.items ?? []).flatMap(({ containers, metadata, timestamp }) => {
    const at = Date.parse(timestamp);
    const bytes = containers.reduce((sum, { usage }) => sum + bytesOf(usage.memory), 0);
    return Number.isSafeInteger(at + bytes) ? [[metadata.name, { at, bytes }] as const] : [];
  });
  return Object.fromEntries(known);
}
