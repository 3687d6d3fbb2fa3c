/** What neither Flux nor Argo CD may remove with the rest: the CRD and the namespace hold verdicts. */
import { expect, it } from 'vitest';
import { kustomize, objectsOf } from './support/render.ts';

it.each([
  ['manifests/operator', 'CustomResourceDefinition', 'chaosdemos.chaosdemo.dev'],
  ['manifests/ratelimiter/overlays/approximate', 'Namespace', 'ratelimiter'],
  ['manifests/ratelimiter/overlays/strict', 'Namespace', 'ratelimiter'],
])('%s keeps its %s', async (folder, kind, name) => {
  const found = objectsOf(await kustomize(folder)).filter((object) => object.kind === kind);
  expect(found.map(({ metadata }) => metadata)).toMatchObject([
    {
      name,
      annotations: {
        'kustomize.toolkit.fluxcd.io/prune': 'disabled',
        'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
      },
    },
  ]);
});
