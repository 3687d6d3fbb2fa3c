/** One cell as the thread that leads sees it: the thread, and the requests in both directions. */
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../api/index.ts';
import type { Cluster, ClusterLease } from '../../subjects/cluster.ts';
import { Beats } from './beats.ts';
import { CellMemory } from './cell-memory.ts';
import type { CellData, OfCell, OfHost } from './messages.ts';
import { type Handlers, Peer } from './peer.ts';

/** Of a cell: its share of a container of 512 MiB, if another takes as much. */
const HEAP_MB = 192;

/** The bundle of a cell lies beside that of the operator. */
const CODE = new URL(import.meta.url.endsWith('.ts') ? './cell.ts' : './cell.mjs', import.meta.url);

export class Cell {
  readonly place: number;
  readonly peer: Peer<OfCell>;
  readonly #memory: CellMemory;
  readonly #worker: Worker;
  readonly #beats = new Beats(performance.now());
  readonly #ended = new AbortController();
  readonly #clusters = new Map<number, Cluster>();
  /** Leases that belong to no driver yet, by their number in the cell. */
  readonly #leases = new Map<number, ClusterLease>();
  /** Requests in progress and open drivers, by namespace. */
  readonly #uses = new Map<string, number>();
  #usedAt = performance.now();
  #failure: string | undefined;

  constructor(data: Omit<CellData, 'memory'>) {
    const memory = new SharedArrayBuffer(CellMemory.BYTES);
    const workerData: CellData = { ...data, memory };
    this.place = data.place;
    this.#memory = new CellMemory(memory);
    this.#worker = new Worker(CODE, {
      name: `cell ${data.place}`,
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.#worker.on('error', (error) => this.fail(messageOf(error)));
    this.#worker.on('exit', () => this.fail('it ended'));
    this.peer = new Peer(this.#worker, this.#handlers());
  }

  /** Aborts once it has ended, whatever the cause. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why it was ended before its time; part of a message. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether it may have permits. */
  get responds(): boolean {
    return !this.ended.aborted && this.#beats.responds;
  }

  /** What it takes, as of its last beat. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Requests in progress and open drivers. */
  get load(): number {
    return [...this.#uses.values()].reduce((sum, count) => sum + count, 0);
  }

  /** For how long it was not used; milliseconds. */
  get idleMs(): number {
    return performance.now() - this.#usedAt;
  }

  /** Those with requests in progress or open drivers. */
  get namespaces(): ReadonlySet<string> {
    return new Set(this.#uses.keys());
  }

  /** Requests of a connector in the cell go to `cluster`. `clockOffset`: see `CellMemory`. */
  serve(connector: number, cluster: Cluster, clockOffset: number): void {
    this.#clusters.set(connector, cluster);
    this.#memory.clockOffset = clockOffset;
  }

  /** Counts a use on behalf of a namespace; returns what ends it. */
  use(namespace: string): () => void {
    const add = (count: number): void => {
      const uses = (this.#uses.get(namespace) ?? 0) + count;
      if (uses === 0) this.#uses.delete(namespace);
      else this.#uses.set(namespace, uses);
      this.#usedAt = performance.now();
    };
    add(1);
    return () => add(-1);
  }

  /** A lease of this cell, which belongs to the caller from now on. */
  takeLease(id: number): ClusterLease | undefined {
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    return lease;
  }

  /** Ends it if it has not handled its events for too long. */
  look(): void {
    this.#beats.look(this.#memory.beats, performance.now());
    if (this.#beats.isLost) this.fail('it did not handle its events for 3 s');
  }

  /** Ends it because of `why`, unless it has ended. */
  fail(why: string): void {
    if (this.ended.aborted) return;
    this.#failure = why;
    void this.end();
  }

  /** Ends the thread, with all connections in it; leases stay as they are. */
  async end(): Promise<void> {
    if (!this.ended.aborted) {
      const reason = new Error(`the thread of the run was ended: ${this.#failure ?? 'the operator stops'}`);
      this.#ended.abort(reason);
      this.peer.end(reason);
      for (const lease of this.#leases.values()) void lease.release(true);
    }
    await this.#worker.terminate();
  }

  #handlers(): Handlers<OfHost> {
    const clusterOf = (connector: number): Cluster => {
      const cluster = this.#clusters.get(connector);
      if (!cluster) throw new RangeError('the connector is not known');
      return cluster;
    };
    return {
      async read({ signal }, connector, method, args, signalAt) {
        const cluster = clusterOf(connector);
        const read = cluster[method as keyof Cluster] as (...all: unknown[]) => Promise<unknown>;
        return await read.call(cluster, ...args.with(signalAt, signal));
      },
      acquire: async ({ signal }, connector, id, options) => {
        const lease = this.#leases.get(id) ?? clusterOf(connector).lease(options);
        this.#leases.set(id, lease);
        return await lease.acquire(signal);
      },
      release: async (_, id, keep) => await this.takeLease(id)?.release(keep),
    };
  }
}
