import { describe, expect, it } from 'vitest';
import type { KubeObject } from './kube-types.ts';
import { longestAnnotation, slim } from './slim.ts';

const used = {
  name: 'demo',
  namespace: 'shop',
  uid: 'u1',
  resourceVersion: '42',
  generation: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
  deletionTimestamp: '2026-01-02T00:00:00Z',
  finalizers: ['example.com/release'],
};

function full(): KubeObject & { spec: object; status: object } {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Demo',
    metadata: {
      ...used,
      labels: { app: 'x' },
      annotations: { 'example.com/abort': '1', 'example.com/notes': 'x'.repeat(250_000) },
      ...{
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u0' }],
        managedFields: [{ manager: 'kubectl' }],
        selfLink: '/x',
        generateName: 'demo-',
      },
    },
    spec: { suspend: true },
    status: { phase: 'Succeeded' },
  };
}

describe('slim', () => {
  it('keeps what a controller uses, and nothing else of the metadata', () => {
    expect(slim(full())).toStrictEqual({ ...full(), metadata: used });
  });

  it('cuts the values of annotations', () => {
    const annotations = { short: 'é'.repeat(longestAnnotation), long: 'é'.repeat(250_000) };
    const { metadata } = slim({ metadata: { name: 'a', annotations } }, ['short', 'long']);
    expect(metadata.annotations).toEqual({ short: annotations.short, long: annotations.short });
  });
});
