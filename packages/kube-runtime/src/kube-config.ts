/** Finds the cluster. The only module that loads `@kubernetes/client-node`, which takes about a second. */
import { existsSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Loads the configuration as kubectl would: the given file, else `KUBECONFIG`, else the service account of the pod this
 * runs in, else `~/.kube/config`.
 *
 * @param context which of its contexts to use; default: the current one
 * @throws if none of these exists or names a cluster, or there is no such context.
 */
export function loadKubeConfig(file?: string, context?: string): KubeConfig {
  const config = new KubeConfig();
  if (file !== undefined) {
    config.loadFromFile(file);
  } else if (
    (process.env['KUBECONFIG'] ?? '') === '' &&
    process.env['KUBERNETES_SERVICE_HOST'] !== undefined &&
    existsSync(serviceAccountToken)
  ) {
    config.loadFromCluster();
  } else {
    config.loadFromDefault();
  }
  if (context !== undefined) {
    const contexts = config.getContexts().map(({ name }) => name);
    if (!contexts.includes(context)) {
      throw new Error(
        `The kubeconfig has no context "${context}". It has: ${contexts.join(', ') || 'none at all'}.`,
      );
    }
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  // client-node's last resort is http://localhost:8080 without credentials, which hides the real mistake.
  if (cluster === null || (cluster.server === 'http://localhost:8080' && cluster.name === 'cluster')) {
    throw new Error(
      'No Kubernetes cluster is configured. Set KUBECONFIG to a kubeconfig file with a current context, ' +
        'or run in a pod with a service account token.',
    );
  }
  return config;
}
