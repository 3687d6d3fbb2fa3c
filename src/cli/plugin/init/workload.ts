/** The pods of an API, and the port on which they serve. */
import { listed } from '@chaosdemo/redis-faults/text';
import { UsageError } from '@chaosdemo/settings';
import { counted } from '../../../api/index.ts';
import { PART } from '../../../subjects/ratelimiter/spec/schema.ts';
import { requestPath } from '../../../subjects/spec/pods-schema.ts';
import { resolveContainerPort, selectPods } from '../../../subjects/targets/eligible-pods.ts';
import { formatLabelSelector } from '../../../subjects/targets/label-selector.ts';
import type { Finding } from '../../probe/limit-facts.ts';
import { onlyOne } from './only-one.ts';
import { type Cluster, type ContainerDetail, listPods, type PodDetail } from './pods.ts';

/** What a user states about the pods. */
export interface WorkloadOptions {
  /** `app=api,tier=web` */
  readonly selector: string;
  /** Number or name. */
  readonly port?: string;
}

/**
 * Pods of an API, of which the first is probed. `container` serves the port; `healthPaths` are those of its probes on it.
 * @throws UsageError or Refusal with what to write or to do
 */
export async function findWorkload(context: Cluster, options: WorkloadOptions) {
  const matchLabels = labelsIn(options.selector);
  const selector = labelSelectorOf(matchLabels);
  const pods = await listPods(context, selector);
  // Without a port, this only requires that there are Ready pods of one image.
  selectPods(pods, { selector, port: 1, part: PART });
  const port = portOf(pods, options.port);
  const eligible = selectPods(pods, { selector, port, part: PART });
  const pod = pods.find(({ metadata }) => metadata.name === eligible.pods[0]?.name) as PodDetail;
  const container = containerOf(pod, port);
  const notReady = eligible.notReady.length > 0 ? `; not Ready: ${listed(eligible.notReady)}` : '';
  const findings: readonly Finding[] = [
    {
      what: 'pods',
      source: 'found',
      because: `${counted(eligible.pods.length, 'pod')} of ${options.selector}${notReady}`,
    },
    {
      what: 'port',
      source: options.port === undefined ? 'found' : 'given',
      because: `${eligible.pods[0]?.port} of container ${container.name}`,
    },
  ];
  return {
    name: nameBy(matchLabels),
    matchLabels,
    port,
    eligible,
    container,
    healthPaths: healthPathsOf(pod, container, port),
    findings,
  };
}

/** @param selector as a user writes it; what cannot be labels is refused later */
function labelsIn(selector: string): Readonly<Record<string, string>> {
  const pairs = selector.split(',').map((pair) => /^([^=!]+)==?([^=]*)$/.exec(pair.trim()) ?? []);
  return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
}

/** The object is named after the application, by the labels that name one. */
function nameBy(labels: Readonly<Record<string, string>>): string {
  const named = labels['app.kubernetes.io/name'] ?? labels['app'] ?? Object.values(labels)[0];
  return (named || 'api').toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
}

function labelSelectorOf(matchLabels: Readonly<Record<string, string>>): string {
  try {
    return formatLabelSelector(matchLabels);
  } catch (error) {
    throw new UsageError(`the labels of the pods: ${(error as Error).message}. Write them in -l`);
  }
}

function portOf(pods: readonly PodDetail[], given: string | undefined): string | number {
  if (given !== undefined) return /^\d+$/.test(given) ? Number(given) : given;
  const declared = new Map<number, { readonly port: string | number; readonly text: string }>();
  for (const container of pods.flatMap(({ spec }) => spec?.containers ?? [])) {
    for (const { containerPort, name, protocol = 'TCP' } of container.ports ?? []) {
      if (protocol !== 'TCP') continue;
      const text = `${containerPort}${name === undefined ? '' : ` (${name})`} of container ${container.name}`;
      declared.set(containerPort, { port: name ?? containerPort, text });
    }
  }
  const names = new Set([...declared.values()].map(({ port }) => port));
  const candidates = [...declared.values()].filter(({ port }) => names.delete(port));
  if (candidates.length === 0) throw new UsageError('the pods declare no TCP port: write it in --port');
  return onlyOne('port', candidates, '--port').port;
}

function containerOf(pod: PodDetail, port: string | number): ContainerDetail {
  const name = resolveContainerPort(pod, port)?.container;
  const all: readonly ContainerDetail[] = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []),
  ];
  return all.find((container) => container.name === name) ?? { name: name ?? '' };
}

function healthPathsOf(
  pod: PodDetail,
  { livenessProbe, readinessProbe }: ContainerDetail,
  port: string | number,
): string[] {
  const number = resolveContainerPort(pod, port)?.port;
  return [readinessProbe, livenessProbe].flatMap((probe) => {
    const { path = '/', port: other } = probe?.httpGet ?? {};
    const isSame = other !== undefined && resolveContainerPort(pod, other)?.port === number;
    return isSame && requestPath.safeParse(path).success ? [path] : [];
  });
}
