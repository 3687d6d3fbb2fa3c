import { isAlreadyExists, isForbidden, isNotFound, KubeClient, resourcePath } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { adminKubectl, createNamespace, kubeconfigFor } from '../kit/control-plane.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };

function connect(kubeconfig = inject('controlPlane').kubeconfig): KubeClient {
  const client = new KubeClient(loadKubeConfig(kubeconfig));
  onTestFinished(() => client.close());
  return client;
}

describe('KubeClient with a real API server', () => {
  it('distinguishes the errors of the API server', async () => {
    const client = connect();
    const namespace = await createNamespace(client);
    const path = resourcePath(configMaps, { namespace });
    const create = (name: string): Promise<unknown> => {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
      return client.request({ method: 'POST', path, body });
    };
    await create('a');
    await expect(create('a')).rejects.toSatisfy(isAlreadyExists);
    await expect(create('Not A Name')).rejects.toMatchObject({ status: 422 });
    const missing = resourcePath(configMaps, { namespace, name: 'none' });
    const read = client.request({ method: 'GET', path: missing });
    await expect(read).rejects.toSatisfy(isNotFound);
    await expect(read).rejects.toThrow('configmaps "none" not found');
  });

  it('KubeClient authenticates by its service account, and shows no token in errors', async () => {
    const namespace = await createNamespace(connect());
    const kubectl = adminKubectl();
    await kubectl.run(['create', 'serviceaccount', 'tester', '-n', namespace]);
    const token = await kubectl.serviceAccountToken(namespace, 'tester');
    const client = connect(await kubeconfigFor(token, namespace));
    const path = resourcePath(configMaps, { namespace });
    const error: unknown = await client.request({ method: 'GET', path }).catch((thrown: unknown) => thrown);
    expect(isForbidden(error)).toBe(true);
    expect((error as Error).message).toContain(`system:serviceaccount:${namespace}:tester`);
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(token);
  });

  it('refuses a server whose certificate it does not trust', async () => {
    const config = loadKubeConfig(inject('controlPlane').kubeconfig);
    const cluster = config.getCurrentCluster();
    const user = config.getCurrentUser();
    if (cluster === null || user === null) throw new Error('the kubeconfig has no context');
    const { name, server } = cluster;
    config.loadFromClusterAndUser({ name, server, skipTLSVerify: false }, user);
    const client = new KubeClient(config);
    onTestFinished(() => client.close());
    await expect(client.request({ method: 'GET', path: '/version' })).rejects.toMatchObject({
      name: 'ApiUnreachableError',
      code: expect.stringMatching(/CERT/) as string,
    });
  });
});
