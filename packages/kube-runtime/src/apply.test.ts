import { describe, expect, it } from 'vitest';
import { applyStatus, writeFinalizers } from './apply.ts';
import type { KubeObject } from './kube-types.ts';
import { configMap, sendJson, startWireServer } from './testing.fixture.ts';

const type = { group: '', version: 'v1', plural: 'configmaps' };
const notes = { 'example.com/abort': '1', 'example.com/notes': 'x'.repeat(1000) };

/** A server that has stored whatever it is sent, with all the metadata of a real one. */
async function write(object: KubeObject) {
  const { metadata } = configMap('a', 2);
  const finalizers = ['example.com/release'];
  const others = { labels: { app: 'x' }, managedFields: [{ manager: 'tester' }] };
  const stored = { ...object, metadata: { ...metadata, finalizers, annotations: notes, ...others } };
  const server = await startWireServer((_request, response) => sendJson(response, stored));
  return { client: server.client(), type, object, fieldManager: 'tester' };
}

function decidedOn(annotations?: Record<string, string>): KubeObject {
  const object = configMap('a', 1);
  return { ...object, metadata: { ...object.metadata, ...(annotations ? { annotations } : {}) } };
}

describe('a guarded write', () => {
  it('returns as little metadata as a reflector keeps', async () => {
    const guarded = await write(decidedOn());
    const finalizers = ['example.com/release'];
    for (const stored of [
      await applyStatus(guarded, {}),
      await writeFinalizers(guarded, ['example.com/x']),
    ]) {
      expect(stored.metadata).toStrictEqual({ ...configMap('a', 2).metadata, finalizers });
    }
  });

  it('returns the annotations that the object of the decision has', async () => {
    const guarded = await write(decidedOn({ 'example.com/abort': '1' }));
    for (const stored of [await applyStatus(guarded, {}), await writeFinalizers(guarded, [])]) {
      expect(stored.metadata.annotations).toEqual({ 'example.com/abort': '1' });
    }
  });
});
