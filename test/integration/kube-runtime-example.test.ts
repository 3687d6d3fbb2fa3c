import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KubeObject, Lease } from '@chaosdemo/kube-runtime';
import { expect, inject, it, onTestFinished } from 'vitest';
import { connectAsAdmin, uniqueNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

const EXAMPLE = fileURLToPath(
  new URL('../../packages/kube-runtime/example/pod-security.ts', import.meta.url),
);
const LABEL = 'pod-security.kubernetes.io/enforce';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/pod-security';

it('the example of kube-runtime keeps a label, and releases its lease at SIGTERM', async () => {
  const client = connectAsAdmin();
  const env = { ...process.env, KUBECONFIG: inject('controlPlane').kubeconfig };
  const controller = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(async () => {
    controller.kill('SIGKILL');
    await client.close();
  });
  const other = await uniqueNamespace('example', { env: 'test' });
  const selected = await uniqueNamespace('example', { env: 'production' });
  const labelOf = async (namespace: string): Promise<string | undefined> => {
    const path = `/api/v1/namespaces/${namespace}`;
    return (await client.request<KubeObject>({ method: 'GET', path })).metadata.labels?.[LABEL];
  };
  await until(async () => (await labelOf(selected)) === 'baseline');

  const path = `/api/v1/namespaces/${selected}`;
  const body = { metadata: { labels: { [LABEL]: null } } };
  await client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  await until(async () => (await labelOf(selected)) === 'baseline');
  expect(await labelOf(other)).toBeUndefined();

  const exited = once(controller, 'exit');
  controller.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  const { spec } = await client.request<Lease>({ method: 'GET', path: LEASE });
  expect(spec?.holderIdentity).toBe('');
});
