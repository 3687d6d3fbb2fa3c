import { expect, it } from 'vitest';
import type { KubeClient } from '../../kube/client.ts';
import { present } from './watch.ts';

it('leads whoever has no terminal to the object that they named', async () => {
  const connection = {
    client: {} as KubeClient,
    namespace: 'shop',
    namespaceGiven: true,
    kubectl: 'kubectl --context prod',
  };
  const { signal } = new AbortController();
  await expect(
    present({ connection, name: 'demo', say: () => {}, signal, newRequest: () => '1' }),
  ).rejects.toMatchObject({
    remedy: 'Follow it with: kubectl chaosdemo watch demo -n shop --context prod --plain',
  });
});
