/** The connector of a subject whose targets are connected in cells, and its drivers. */
import type { ChaosDemoSpec } from '../../api/index.ts';
import type { Activity, SubjectEffect } from '../../engine/effects.ts';
import type { Finding } from '../../engine/findings.ts';
import type {
  AdmissionRequest,
  Admitted,
  Emit,
  Permit,
  RecordedHistory,
  SubjectConnector,
  SubjectDriver,
  SubjectPorts,
} from '../../engine/subject.ts';
import type { Cluster } from '../../subjects/cluster.ts';
import type { Cell } from './cell-thread.ts';
import type { Cells } from './cells.ts';
import type { ConnectorOf, FoundThere } from './messages.ts';
import { LentPermit } from './permits.ts';

let connectors = 0;

export class CellConnector implements SubjectConnector {
  readonly #cells: Pick<Cells, 'of' | 'waitOf'>;
  readonly #ports: Pick<SubjectPorts<Cluster>, 'clock' | 'cluster'>;
  readonly #of: ConnectorOf;
  /** Where an object was admitted last, by its uid. */
  readonly #admittedBy = new Map<string, Cell>();

  constructor(
    cells: Pick<Cells, 'of' | 'waitOf'>,
    member: string,
    ports: Pick<SubjectPorts<Cluster>, 'clock' | 'cluster'>,
  ) {
    connectors += 1;
    this.#cells = cells;
    this.#ports = ports;
    this.#of = { id: connectors, member, localPods: ports.cluster.localPods };
  }

  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted> {
    const { namespace, uid } = request;
    const admission = this.#cells.waitOf(namespace, this.#ports.clock.now());
    if (admission) return { admission };
    const cell = this.#cellOf(namespace);
    this.#admittedBy.set(uid, cell);
    const used = cell.use(namespace);
    try {
      const found = await cell.peer.request('admit', [this.#of, request], signal);
      if (!found.opened) return { admission: found.admission };
      const { driver, lease, target } = found.opened;
      const lock = lease === undefined ? undefined : cell.takeLease(lease);
      return {
        admission: found.admission,
        opened: { target, driver: new CellDriver(cell, driver, namespace), ...(lock && { lock }) },
      };
    } finally {
      used();
    }
  }

  async findPodTemplate(
    namespace: string,
    spec: ChaosDemoSpec,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (this.#cells.waitOf(namespace, this.#ports.clock.now())) return undefined;
    const cell = this.#cellOf(namespace);
    const used = cell.use(namespace);
    return await cell.peer.request('findPodTemplate', [this.#of, namespace, spec], signal).finally(used);
  }

  async forget(uid: string, keepLock: boolean): Promise<void> {
    const cell = this.#admittedBy.get(uid);
    this.#admittedBy.delete(uid);
    if (cell && !cell.ended.aborted) await cell.peer.request('forget', [this.#of, uid, keepLock]);
  }

  #cellOf(namespace: string): Cell {
    const cell = this.#cells.of(namespace);
    const { clock, cluster } = this.#ports;
    cell.serve(this.#of.id, cluster, clock.now() - clock.monotonic());
    return cell;
  }
}

/** A driver in a cell. */
class CellDriver implements SubjectDriver {
  readonly ended: AbortSignal;
  readonly #cell: Cell;
  readonly #id: number;
  readonly #used: () => void;
  /** Lines that were not taken yet, by the id of their fault. */
  readonly #lines = new Map<string, string[]>();
  readonly #permits = new Set<LentPermit>();

  constructor(cell: Cell, id: number, namespace: string) {
    this.ended = cell.ended;
    this.#cell = cell;
    this.#id = id;
    this.#used = cell.use(namespace);
  }

  async perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    const lent = new LentPermit(permit, () => this.#cell.responds);
    // A restore takes back what an injection was permitted, at once.
    for (const other of this.#permits) other.renew();
    this.#permits.add(lent);
    try {
      return this.#take(await this.#cell.peer.request('perform', [this.#id, effect, lent.memory], signal));
    } finally {
      this.#permits.delete(lent);
      lent.end();
    }
  }

  async runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    const report = (found: FoundThere): void => emit(this.#take(found));
    await this.#cell.peer.request('run', [this.#id, activity], signal, report);
  }

  #take({ finding, lines }: FoundThere): Finding {
    for (const [fault, more] of lines) {
      const known = this.#lines.get(fault) ?? [];
      this.#lines.set(fault, known);
      known.push(...more);
    }
    return finding;
  }

  history(fault: string): RecordedHistory | undefined {
    const lines = this.#lines.get(fault);
    return (
      lines && {
        take: () => lines.splice(0),
        release: () => {
          this.#lines.delete(fault);
          this.#cell.peer.request('release', [this.#id, fault]).catch(() => undefined);
        },
      }
    );
  }

  async close(): Promise<void> {
    this.#used();
    if (!this.ended.aborted) await this.#cell.peer.request('close', [this.#id]);
  }
}
