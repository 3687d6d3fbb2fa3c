/** The cluster and namespace of a command: found by kubectl's rules, with the user's kubeconfig. */

import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { shell, shellWord } from '../../api/index.ts';

/** The flags that every command shares with kubectl. */
export interface Place {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** The user's client, and the namespace of the command. */
export interface Connection {
  readonly client: KubeApi;
  readonly namespace: string;
  /** `kubectl` with the flags for the same cluster, for printed commands. */
  readonly kubectl: string;
}

/** A connection of this process to the cluster of its user. */
export type UserConnection = ReturnType<typeof connect>;

/**
 * Sends nothing yet.
 * @throws if no cluster is configured, or there is no such context
 */
export function connect({ kubeconfig, context, namespace }: Place) {
  const config = loadKubeConfig(kubeconfig, context);
  const ofContext = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    client: new KubeClient(config, { userAgent: 'kubectl-chaosdemo' }),
    config,
    namespace: namespace ?? ofContext ?? 'default',
    kubectl: kubectlFor({ context, kubeconfig }),
  };
}

/** @example kubectlFor({ context: 'kind-chaosdemo' }) // "kubectl --context kind-chaosdemo" */
export function kubectlFor({
  context,
  kubeconfig,
}: Readonly<Partial<Record<'context' | 'kubeconfig', string | undefined>>>): string {
  const flags = Object.entries({ kubeconfig, context }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, shellWord(value)],
  );
  return ['kubectl', ...flags].join(' ');
}

/** A command of this plugin about one object, with the flags of `kubectl` for its cluster. */
export function pluginCommand(
  verb: 'advance' | 'doctor' | 'rerun' | 'wait' | 'watch',
  {
    kubectl,
    name,
    namespace,
  }: { readonly kubectl: string; readonly name: string; readonly namespace: string },
): string {
  return `kubectl chaosdemo ${verb} ${shell`${name} -n ${namespace}`}${kubectl.slice('kubectl'.length)}`;
}
