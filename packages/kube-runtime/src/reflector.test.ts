import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from './kube-types.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { Store } from './store.ts';
import {
  configMap,
  recordingLogger,
  sendEvent,
  sendJson,
  sendStatus,
  startWireServer,
  type WireRequest,
  type WireServer,
} from './testing.fixture.ts';

// Real sockets on a busy machine: the limit is for what hangs.
vi.setConfig({ testTimeout: 30_000 });

const path = '/api/v1/namespaces/default/configmaps';
type Answer = (response: ServerResponse, request: WireRequest) => void;

let server: WireServer;
let stop: AbortController;
let running: Promise<void> | undefined;
/** Answers to the next lists and watches; when used up, the collection below is served. */
let lists: Answer[];
let watches: Answer[];
let collection: { items: KubeObject[]; resourceVersion: string };

beforeEach(async () => {
  lists = [];
  watches = [];
  collection = { items: [configMap('a', 1)], resourceVersion: '10' };
  stop = new AbortController();
  running = undefined;
  server = await startWireServer((request, response) => {
    if (request.query.has('watch')) {
      const answer = watches.shift() ?? ((response) => response.writeHead(200).flushHeaders());
      answer(response, request);
    } else {
      const answer =
        lists.shift() ?? ((response) => sendList(response, collection.items, collection.resourceVersion));
      answer(response, request);
    }
  });
});

afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await running;
  await server.stop();
});

function sendList(
  response: ServerResponse,
  items: KubeObject[],
  resourceVersion: string,
  next?: string,
): void {
  const metadata = { resourceVersion, ...(next === undefined ? {} : { continue: next }) };
  // As the API server does it: the items of a list do not say what they are.
  const bare = items.map(({ metadata }) => ({ metadata }));
  sendJson(response, { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items: bare });
}

function reflect(options: Partial<ReflectorOptions<KubeObject>> = {}) {
  const logger = recordingLogger();
  const store = new Store<KubeObject>(logger);
  const seen: string[] = [];
  store.subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
  const reflector = new Reflector<KubeObject>({
    client: server.client({ timeoutMs: 2000 }),
    path,
    store,
    logger,
    backoff: { baseMs: 2, maxMs: 20 },
    ...options,
  });
  running = reflector.run(stop.signal);
  return { reflector, store, seen, logger };
}

const eventually = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 5 });
const watchesAsked = (): (string | null)[] =>
  server.requests.filter(({ query }) => query.has('watch')).map(({ query }) => query.get('resourceVersion'));
const listsAsked = (): number => server.requests.filter(({ query }) => !query.has('watch')).length;

describe('Reflector', () => {
  it('a reflector lists in pages, then watches with bookmarks, selectors and timeout', async () => {
    lists = [
      (response) => sendList(response, [configMap('a', 1)], '10', 'page-2'),
      (response) => sendList(response, [configMap('b', 2)], '10'),
    ];
    const { reflector, store } = reflect({
      pageSize: 1,
      labelSelector: 'x=y',
      fieldSelector: 'metadata.name!=z',
    });
    expect(reflector.hasSynced()).toBe(false);
    await reflector.waitForSync(stop.signal);
    expect(reflector.hasSynced()).toBe(true);
    expect(store.list()).toHaveLength(2);
    expect(store.get('default/a')).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    await eventually(() => expect(watchesAsked()).toEqual(['10']));
    const [first, second, watch] = server.requests.map(({ query }) => Object.fromEntries(query));
    const selectors = { labelSelector: 'x=y', fieldSelector: 'metadata.name!=z' };
    expect(first).toEqual({ ...selectors, limit: '1' });
    expect(second).toEqual({ ...selectors, limit: '1', continue: 'page-2' });
    expect(watch).toMatchObject({ ...selectors, allowWatchBookmarks: 'true' });
    expect(Number(watch?.['timeoutSeconds'])).toBeGreaterThanOrEqual(300);
    expect(Number(watch?.['timeoutSeconds'])).toBeLessThanOrEqual(600);
  });

  it('requests fewer objects if a page has too many bytes, and more after it', async () => {
    const large = { ...configMap('large', 1), data: { text: 'x'.repeat(3000) } };
    const all = [...Array.from({ length: 5 }, (_, i) => configMap(`a-${i}`, i)), large];
    const page: Answer = (response, { query }) => {
      const from = Number(query.get('continue') ?? 0);
      const to = from + Number(query.get('limit'));
      const metadata = { resourceVersion: '10', ...(to < all.length ? { continue: String(to) } : {}) };
      sendJson(response, { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items: all.slice(from, to) });
    };
    lists = Array.from({ length: 20 }, () => page);
    const { reflector, store } = reflect({ pageSize: 8, pageBytes: 2000 });
    await reflector.waitForSync(stop.signal);
    const names = store.list().map(({ metadata }) => metadata.name);
    expect(names).toEqual(all.map(({ metadata }) => metadata.name));
    const pages = server.requests.filter(({ query }) => query.has('limit')).map(({ query }) => query);
    expect(pages.map((query) => [query.get('continue') ?? '0', query.get('limit')])).toEqual([
      ['0', '8'],
      ['0', '2'],
      ['2', '4'],
      ['2', '1'],
      ['3', '2'],
      ['5', '4'],
      // A single object over the bound is read all the same.
      ['5', '1'],
    ]);
  });

  it('a reflector keeps only the fields in use and the listed annotations', async () => {
    const annotations = { 'example.com/abort': '1', 'example.com/notes': 'x'.repeat(250_000) };
    const withNotes = (name: string, version: number): KubeObject => {
      const object = configMap(name, version);
      return { ...object, metadata: { ...object.metadata, annotations, labels: { app: 'x' } } };
    };
    const keptOf = (name: string, version: number): KubeObject => {
      const object = configMap(name, version);
      return { ...object, metadata: { ...object.metadata, annotations: { 'example.com/abort': '1' } } };
    };
    collection = { items: [withNotes('a', 1)], resourceVersion: '10' };
    watches = [(response) => sendEvent(response, 'ADDED', withNotes('b', 11))];
    const { store } = reflect({ annotations: ['example.com/abort'] });
    await eventually(() => expect(store.list()).toHaveLength(2));
    expect(store.list()).toStrictEqual([keptOf('a', 1), keptOf('b', 11)]);
  });

  it('a reflector applies changes, and resumes from the last event or bookmark', async () => {
    watches = [
      (response) => {
        sendEvent(response, 'ADDED', configMap('b', 11));
        sendEvent(response, 'MODIFIED', {
          ...configMap('a', 12),
          metadata: { ...configMap('a', 12).metadata, managedFields: [] },
        });
        sendEvent(response, 'DELETED', configMap('b', 13));
        response.end();
      },
      (response) => {
        sendEvent(response, 'BOOKMARK', {
          kind: 'ConfigMap',
          apiVersion: 'v1',
          metadata: { resourceVersion: '99' },
        });
        response.end();
      },
    ];
    const { store, seen } = reflect();
    await eventually(() => expect(watchesAsked()).toEqual(['10', '13', '99']));
    expect(seen).toEqual(['added a', 'added b', 'updated a', 'deleted b']);
    expect(store.list()).toEqual([configMap('a', 12)]);
    expect(listsAsked()).toBe(1);
  });

  it.each<[string, Answer]>([
    ['as a response', (response) => sendStatus(response, 410, 'Expired')],
    [
      'as an event',
      (response) => {
        sendEvent(response, 'ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
        response.end();
      },
    ],
  ])('lists again on 410 Gone %s, and finds what it missed, deletions too', async (_name, gone) => {
    watches = [
      (response) => {
        collection = { items: [configMap('b', 20)], resourceVersion: '30' };
        gone(response, {} as WireRequest);
      },
    ];
    const { seen } = reflect();
    await eventually(() => expect(watchesAsked()).toEqual(['10', '30']));
    expect(seen).toEqual(['added a', 'deleted a', 'added b']);
    expect(listsAsked()).toBe(2);
  });

  it('outlives lists that fail in every way', async () => {
    lists = [
      (response) => sendStatus(response, 500, 'InternalError'),
      (response) => sendStatus(response, 403, 'Forbidden'),
      (response) => sendStatus(response, 429, 'TooManyRequests'),
      (response) => response.destroy(),
      (response) => response.end('not json'),
      (response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{"items":[', () => response.destroy());
      },
    ];
    const { reflector, logger } = reflect();
    await reflector.waitForSync(stop.signal);
    expect(logger.entries.filter(({ level }) => level === 'warn')).toHaveLength(6);
  });

  it('resumes where it was after a watch that breaks, without listing', async () => {
    watches = [
      (response) => {
        sendEvent(response, 'ADDED', configMap('b', 11));
        response.write('{"type":', () => setTimeout(() => response.destroy(), 5));
      },
      (response) => sendStatus(response, 500, 'InternalError'),
      (response) => response.destroy(),
      (response) => sendEvent(response, 'ADDED', configMap('c', 12)),
    ];
    const { store } = reflect();
    await eventually(() => expect(store.list()).toHaveLength(3));
    expect(watchesAsked()).toEqual(['10', '11', '11', '11']);
    expect(listsAsked()).toBe(1);
  });

  it('ends with its signal, whatever it is doing, and closes its connections', async () => {
    const { reflector } = reflect();
    await eventually(() => expect(watchesAsked()).toHaveLength(1));
    const waiting = new Reflector<KubeObject>({
      client: server.client(),
      path: '/never',
      store: new Store<KubeObject>(recordingLogger()),
      logger: recordingLogger(),
    });
    const giveUp = AbortSignal.abort(new Error('gave up'));
    await expect(waiting.waitForSync(giveUp)).rejects.toThrow('gave up');
    stop.abort(new Error('stop'));
    await running;
    expect(reflector.hasSynced()).toBe(true);
    await eventually(() => expect(server.openConnections()).toBeLessThanOrEqual(1));
  });
});
