/** `init`: finds an API and its Redis in a namespace, probes the limiter, and writes a ChaosDemo. */
import { writeFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { isForbidden, openPort } from '@chaosdemo/kube-runtime';
import { UsageError } from '@chaosdemo/settings';
import type { KubeConfig } from '@kubernetes/client-node';
import { shell } from '../../../api/index.ts';
import { PodClient } from '../../../subjects/http/pod-client.ts';
import { EXIT } from '../../exit-status.ts';
import { requireOutputs } from '../../outputs.ts';
import { findingLine } from '../../probe/limit-facts.ts';
import type { ProbeOptions } from '../../probe/options.ts';
import { probeApi, requestsText } from '../../probe/probe.ts';
import { yamlOf } from '../../probe/yaml.ts';
import { pluginCommand } from '../connection.ts';
import { PluginError } from '../errors.ts';
import { dialOf } from './dial.ts';
import type { Cluster } from './pods.ts';
import { findRedis } from './redis.ts';
import { redisSecretName, redisUserLines } from './redis-user.ts';
import { findWorkload, type WorkloadOptions } from './workload.ts';

export interface InitOptions extends ProbeOptions, WorkloadOptions {
  readonly path: string;
  readonly redis?: string;
  readonly yes?: boolean;
  readonly save?: string;
}

export interface InitContext extends Cluster {
  readonly config: KubeConfig;
  /** Prints to standard error: standard output may be the file. */
  readonly note: (line: string) => void;
}

const HEAD =
  ' Written by kubectl chaosdemo init. The comments state how each part is known: correct each guess.';

/** Returns the exit status. @throws UsageError or PluginError with what to write or to do */
export async function writeDemo(context: InitContext, options: InitOptions): Promise<number> {
  const { kubectl, namespace, note, signal } = context;
  requireOutputs(options);
  const workload = await findWorkload(context, options);
  const redis = await findRedis(context, workload.container, options.redis);
  const found = [...workload.findings, redis.finding];
  for (const finding of found) note(findingLine(finding));
  const [instance] = workload.eligible.pods;
  if (!instance) throw new PluginError('no pod is Ready');
  const sends = `${requestsText(options.path)}, to ${instance.name}`;
  if (!options.yes) throw new UsageError(`add --yes to send ${sends}`);
  note(`sends ${sends}`);

  const { host, name, port } = instance;
  const client = new PodClient(
    { name, host, port },
    Date.now,
    dialOf(() => opened(context, name, port)),
  );
  const advice = `Check --port and --path, and that ${name} serves HTTP without TLS`;
  const { healthPaths } = workload;
  const probed = { client, signal, path: options.path, healthPaths, advice, print: note };
  const { facts, findings } = await probeApi(options, probed);
  const place = {
    name: workload.name,
    namespace,
    matchLabels: workload.matchLabels,
    port: workload.port,
    redis: {
      serviceName: redis.service,
      port: redis.port,
      ...(redis.login && { authSecretName: redisSecretName(redis.service) }),
      ...(redis.tls && { tls: {} }),
    },
  };
  const instances = workload.eligible.pods.length;
  const text = yamlOf({ ...facts, place, instances }, [...found, ...findings], HEAD);
  if (options.save === undefined) process.stdout.write(text);
  else await writeFile(options.save, text);

  note('keys of these callers stay in Redis until their windows have ended');
  const { endpoint, login, service } = redis;
  if (login) for (const line of redisUserLines(context, { service, podName: endpoint.podName })) note(line);
  if (options.save !== undefined)
    note(`wrote ${options.save}. To run it: kubectl chaosdemo run ${shell`-f ${options.save}`}`);
  const doctor = pluginCommand('doctor', { kubectl, name: place.name, namespace });
  note(`To find out what is left to set up, once it is applied: ${doctor}`);
  return EXIT.done;
}

async function opened(
  { config, kubectl, namespace }: InitContext,
  pod: string,
  port: number,
): Promise<Duplex> {
  try {
    return await openPort(config, { namespace, pod, port });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new PluginError(
      `you may not open a connection to ${pod}: ${error.message}`,
      `You need get and create on pods/portforward: ${kubectl} ${shell`auth can-i create pods/portforward -n ${namespace}`}`,
    );
  }
}
