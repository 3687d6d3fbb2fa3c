import { describe, expect, it } from 'vitest';
import type { KubeObject } from './kube-types.ts';
import { Store } from './store.ts';
import { configMap, recordingLogger } from './testing.fixture.ts';

function observed(): {
  store: Store<KubeObject>;
  seen: string[];
  logger: ReturnType<typeof recordingLogger>;
} {
  const logger = recordingLogger();
  const store = new Store<KubeObject>(logger);
  const seen: string[] = [];
  store.subscribe((event) => {
    const { name, resourceVersion = '', uid = '' } = event.object.metadata;
    seen.push(`${event.type} ${name} ${resourceVersion} ${uid}`);
  });
  return { store, seen, logger };
}

describe('Store', () => {
  it('a store reports new, changed and deleted objects of a list, not unchanged ones', () => {
    const { store, seen } = observed();
    store.replace([configMap('same', 1), configMap('changed', 2), configMap('gone', 3)]);
    seen.length = 0;
    store.replace([configMap('same', 1), configMap('changed', 7), configMap('new', 8)]);
    expect(seen.toSorted()).toEqual([
      'added new 8 uid-new',
      'deleted gone 3 uid-gone',
      'updated changed 7 uid-changed',
    ]);
    expect(
      store
        .list()
        .map((object) => object.metadata.name)
        .toSorted(),
    ).toEqual(['changed', 'new', 'same']);
  });

  it('distinguishes a deleted and recreated object from one that changed', () => {
    const { store, seen } = observed();
    store.put(configMap('a', 1, 'first'));
    store.put(configMap('a', 5, 'second'));
    store.put(configMap('a', 6, 'second'));
    expect(seen).toEqual(['added a 1 first', 'deleted a 1 first', 'added a 5 second', 'updated a 6 second']);
  });

  it('a late subscriber gets the current objects, and nothing after it left', () => {
    const { store } = observed();
    store.put(configMap('a', 1));
    const seen: string[] = [];
    const leave = store.subscribe((event) => seen.push(`${event.type} ${event.object.metadata.name}`));
    store.remove(configMap('unknown', 9));
    leave();
    store.remove(configMap('a', 2));
    expect(seen).toEqual(['added a']);
  });
});
