import { startWireServer } from '@chaosdemo/kube-runtime/testing';
import { describe, expect, it } from 'vitest';
import { chooseName } from './demos.ts';

const { signal } = new AbortController();

/** A namespace as a kube-apiserver 1.36 answers for it, with metadata alone. */
async function namespaceWith(items: { metadata: { name: string } }[] | null) {
  const body = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: {}, items };
  const server = await startWireServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  });
  return { client: server.client(), namespace: 'shop', kubectl: 'kubectl' };
}

describe('the ChaosDemos of a namespace', () => {
  it('are none if the API server answers with null', async () => {
    const connection = await namespaceWith(null);
    await expect(chooseName(connection, undefined, signal)).rejects.toMatchObject({
      message: expect.stringMatching(/no ChaosDemo in namespace shop$/),
      remedy: 'See where there is one: kubectl get chaosdemos --all-namespaces',
    });
  });

  it('are named as kubectl prints them, also by the short name', async () => {
    const connection = await namespaceWith([]);
    for (const name of ['api', 'chaosdemo/api', 'chaosdemos.chaosdemo.dev/api', 'cdemo/api'])
      expect(await chooseName(connection, name, signal)).toBe('api');
  });

  it('are in order', async () => {
    const connection = await namespaceWith([{ metadata: { name: 'b' } }, { metadata: { name: 'a' } }]);
    await expect(chooseName(connection, undefined, signal)).rejects.toMatchObject({
      message: expect.stringMatching(/name one of a, b$/),
    });
  });
});
