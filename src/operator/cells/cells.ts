/**
 * The threads in which subjects are connected. A namespace has one cell at a time; cells are started when a run needs
 * one, and ended when idle. One that does not respond, or takes too much memory, is ended: its faults end by themselves
 * as after a crash, and its runs go on in another, as after a takeover.
 */
import { availableParallelism, totalmem } from 'node:os';
import type { Subject } from '../../engine/subject.ts';
import type { Cluster } from '../../subjects/cluster.ts';
import type { Logger } from '../log.ts';
import { LOOK_MS } from './beats.ts';
import { createCellConnector } from './cell-connector.ts';
import { Cell } from './cell-thread.ts';
import type { CellData } from './messages.ts';
import { Suspects } from './suspects.ts';

/** More would share the processors with each other, and each takes 30 MB. */
const MOST_CELLS = Math.min(4, Math.max(2, availableParallelism()));
/**
 * A cell without work is ended after this time, and a namespace without work has no cell then; objects that wait check
 * more often. After an attack, memory is to be at rest within a minute. Milliseconds.
 */
const IDLE_MS = 40_000;
/** Above this share of the memory of its container the process ends its largest cell, before the system ends all. */
const MEMORY_SHARE = 0.85;

/** Bytes of the memory that cells share, for each: two counts. */
const SHARED_BYTES = 16;

/** What all cells are started with. */
type CommonData = Omit<CellData, 'memory' | 'place' | 'shared'>;

export class Cells {
  readonly #logger: Logger;
  readonly #data: CommonData;
  readonly #cells = new Set<Cell>();
  readonly #byNamespace = new Map<string, { readonly cell: Cell; usedAt: number }>();
  /** Namespaces that may have to wait for a cell. */
  readonly suspects = new Suspects();
  /** Bytes of connections and of histories, counted for each cell: see `SharedCount`. */
  readonly #shared = new SharedArrayBuffer(MOST_CELLS * SHARED_BYTES);
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, data: CommonData) {
    this.#logger = logger;
    this.#data = data;
  }

  /** The same subjects, connected in cells. */
  subjects(all: readonly Subject<Cluster>[]): Subject<Cluster>[] {
    return all.map(({ definition }) => ({
      definition,
      connect: (ports) => createCellConnector(this, definition.api.member, ports),
    }));
  }

  /** The cell of a namespace. Two namespaces share one only if there are more of them than cells, even if one is quiet. */
  of(namespace: string): Cell {
    const cell = this.#byNamespace.get(namespace)?.cell ?? this.#leastShared() ?? this.#start();
    this.#byNamespace.set(namespace, { cell, usedAt: performance.now() });
    return cell;
  }

  /** Ends them all. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#cells].map((cell) => cell.end()));
  }

  /** A cell that has no namespace; or with as many cells as there may be, the one with the least to do. */
  #leastShared(): Cell | undefined {
    const shared = new Set([...this.#byNamespace.values()].map(({ cell }) => cell));
    const free = [...this.#cells].find((cell) => !shared.has(cell));
    if (free || this.#cells.size < MOST_CELLS) return free;
    return [...this.#cells].sort((one, two) => one.load - two.load)[0];
  }

  #start(): Cell {
    const taken = new Set([...this.#cells].map(({ place }) => place));
    const place = [...Array(MOST_CELLS).keys()].find((each) => !taken.has(each)) ?? 0;
    const cell = new Cell({ ...this.#data, place, shared: this.#shared });
    this.#cells.add(cell);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    cell.ended.addEventListener('abort', () => this.#ended(cell), { once: true });
    this.#logger.info({ cell: place }, 'started a thread for runs');
    return cell;
  }

  #look(): void {
    const now = performance.now();
    for (const [namespace, place] of this.#byNamespace) {
      if (place.cell.namespaces.has(namespace)) place.usedAt = now;
      else if (now - place.usedAt > IDLE_MS) this.#byNamespace.delete(namespace);
    }
    for (const cell of this.#cells) {
      cell.look();
      if (cell.load === 0 && cell.idleMs > IDLE_MS) void cell.end();
    }
    const most = Math.min(process.constrainedMemory() || totalmem(), totalmem());
    if (this.#cells.size === 0 || process.memoryUsage.rss() < most * MEMORY_SHARE) return;
    const [largest] = [...this.#cells].sort((one, two) => two.bytes - one.bytes);
    largest?.fail('the memory of the operator was nearly used up, and it had most of it');
  }

  #ended(cell: Cell): void {
    this.#cells.delete(cell);
    for (const [namespace, of] of this.#byNamespace) {
      if (of.cell === cell) this.#byNamespace.delete(namespace);
    }
    if (this.#cells.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    if (cell.failure === undefined) return;
    const namespaces = [...cell.namespaces];
    const fields = { cell: cell.place, namespaces, bytes: cell.bytes };
    this.#logger.error(fields, `ended a thread of runs, which go on in another: ${cell.failure}`);
    this.suspects.add(namespaces, cell.failure, Date.now());
  }
}
