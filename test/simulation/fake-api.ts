/** An API server that holds ChaosDemos in memory, and what can go wrong with it. */
import type { ChaosDemo, ChaosDemoStatus } from '../../src/api/index.ts';
import { statusSchema } from '../../src/api/index.ts';
import type { Clock } from '../../src/engine/clock.ts';
import type { DemoApi, Write } from '../../src/operator/shell/ports.ts';
import type { ProcessClock } from './process-clock.ts';

/** One status that was stored, and when. */
export interface StoredStatus {
  readonly key: string;
  readonly at: number;
  readonly status: ChaosDemoStatus;
}

type Change = (object: ChaosDemo) => void;

export class FakeApiServer {
  /** There and back, in milliseconds. */
  latencyMs = 2;
  /** How far the caches of processes are behind, in milliseconds. */
  watchLagMs = 3;
  /** How many of the next calls get no answer; half of them have been carried out all the same. */
  failing = 0;
  /** How many of the next writes conflict with a write right before them. */
  conflicting = 0;
  /** Whether a status is refused, though it fits the schema. */
  refuses: (status: ChaosDemoStatus) => boolean = () => false;
  readonly stored: StoredStatus[] = [];
  readonly #clock: Clock;
  readonly #objects = new Map<string, ChaosDemo>();
  readonly #watchers = new Set<(key: string) => void>();
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As it is stored now; frozen, since it is shared. */
  get(key: string): ChaosDemo | undefined {
    return this.#objects.get(key);
  }

  /** Keys of all objects. */
  keys(): string[] {
    return [...this.#objects.keys()];
  }

  create(demo: ChaosDemo): void {
    this.#put(keyOf(demo), structuredClone(demo));
  }

  /** As a person does: the generation counts the changes of the spec. */
  edit(key: string, change: Change): void {
    const object = structuredClone(this.get(key));
    if (!object) throw new Error(`there is no ${key}`);
    const before = JSON.stringify(object.spec);
    change(object);
    if (JSON.stringify(object.spec) !== before) object.metadata.generation += 1;
    this.#put(key, object);
  }

  /** As a person does: with a finalizer it waits for that. */
  delete(key: string): void {
    const object = structuredClone(this.get(key));
    if (!object || object.metadata.deletionTimestamp) return;
    object.metadata.deletionTimestamp = new Date(this.#clock.now()).toISOString();
    this.#put(key, object);
  }

  /** Calls `watcher` for every change of an object, at once. Returns the function that ends that. */
  watch(watcher: (key: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** What one process has of it: its cache, and calls that take their time and may get no answer. */
  connect(process: ProcessClock): FakeConnection {
    return new FakeConnection(this, this.#clock, process);
  }

  /** A guarded write, at the moment when it arrives. */
  write(demo: ChaosDemo, change: Change): Write {
    const key = keyOf(demo);
    if (this.conflicting > 0 && this.#objects.has(key)) {
      this.conflicting -= 1;
      this.edit(key, (object) => {
        object.metadata.labels = { touched: String(this.#version) };
      });
    }
    const object = structuredClone(this.get(key));
    if (!object) return { state: 'gone' };
    const { resourceVersion, uid } = object.metadata;
    if (uid !== demo.metadata.uid || resourceVersion !== demo.metadata.resourceVersion) {
      return { state: 'conflict' };
    }
    change(object);
    this.#put(key, object);
    return { state: 'stored', demo: object };
  }

  /** Takes a status as the schema has it: unknown members are dropped, everything wrong is refused. */
  writeStatus(demo: ChaosDemo, status: ChaosDemoStatus): Write {
    const parsed = statusSchema.safeParse(JSON.parse(JSON.stringify(status)));
    if (!parsed.success) return { state: 'refused', error: parsed.error };
    if (this.refuses(parsed.data)) return { state: 'refused', error: new Error('refused on demand') };
    const write = this.write(demo, (object) => {
      object.status = parsed.data;
    });
    if (write.state === 'stored') {
      this.stored.push({ key: keyOf(demo), at: this.#clock.now(), status: parsed.data });
    }
    return write;
  }

  #put(key: string, object: ChaosDemo): void {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp && finalizers.length === 0) this.#objects.delete(key);
    else this.#objects.set(key, frozen(object));
    for (const watcher of this.#watchers) watcher(key);
  }
}

/** One process's connection. */
export class FakeConnection implements DemoApi {
  readonly #server: FakeApiServer;
  readonly #world: Clock;
  readonly #process: ProcessClock;
  readonly #cache = new Map<string, ChaosDemo>();
  readonly #lifetime = new AbortController();
  readonly #handlers = new Set<(key: string) => void>();
  readonly #stop: () => void;

  constructor(server: FakeApiServer, world: Clock, process: ProcessClock) {
    this.#server = server;
    this.#world = world;
    this.#process = process;
    for (const key of server.keys()) this.#refresh(key, server.get(key));
    this.#stop = server.watch((key) => void this.#hear(key));
  }

  /** Calls `handler` for every change that reaches the cache. */
  subscribe(handler: (key: string) => void): void {
    this.#handlers.add(handler);
  }

  keys(): string[] {
    return [...this.#cache.keys()];
  }

  close(): void {
    this.#stop();
    this.#lifetime.abort(new Error('the connection was closed'));
  }

  read(key: string): ChaosDemo | undefined {
    return this.#cache.get(key);
  }

  fetch(demo: ChaosDemo, signal: AbortSignal): Promise<ChaosDemo | undefined> {
    return this.#call(() => this.#server.get(keyOf(demo)), signal);
  }

  applyStatus(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write> {
    // What is sent is what the status was at this moment.
    const body = structuredClone(status);
    return this.#call(() => this.#server.writeStatus(demo, body), signal);
  }

  writeFinalizers(demo: ChaosDemo, finalizers: readonly string[], signal: AbortSignal): Promise<Write> {
    const write = (): Write =>
      this.#server.write(demo, ({ metadata }) => {
        metadata.finalizers = [...finalizers];
      });
    return this.#call(write, signal);
  }

  /** What was sent arrives though its sender dies; the answer comes only to one that lives. */
  async #call<T>(arrive: () => T, signal: AbortSignal): Promise<T> {
    const half = this.#server.latencyMs / 2;
    const call = async (): Promise<T> => {
      await this.#world.sleep(half, new AbortController().signal);
      const fails = this.#server.failing > 0;
      if (fails) this.#server.failing -= 1;
      if (fails && this.#server.failing % 2 === 0) throw new Error('no response from the API server');
      const answer = arrive();
      await this.#world.sleep(half, new AbortController().signal);
      if (fails) throw new Error('no response from the API server');
      return answer;
    };
    signal.throwIfAborted();
    return await this.#process.live(call());
  }

  async #hear(key: string): Promise<void> {
    const object = this.#server.get(key);
    try {
      await this.#process.sleep(this.#server.watchLagMs, this.#lifetime.signal);
    } catch {
      return;
    }
    this.#refresh(key, object);
    for (const handler of this.#handlers) handler(key);
  }

  #refresh(key: string, object: ChaosDemo | undefined): void {
    if (object) this.#cache.set(key, object);
    else this.#cache.delete(key);
  }
}

/** "namespace/name", as the controller has it. */
export function keyOf({ metadata }: ChaosDemo): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
