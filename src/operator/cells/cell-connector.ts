/** The connector of a subject whose targets are connected in cells, and its drivers. */
import type { Finding } from '../../engine/findings.ts';
import type { SubjectConnector, SubjectDriver, SubjectPorts } from '../../engine/subject.ts';
import type { Cluster } from '../../subjects/cluster.ts';
import type { Cell } from './cell-thread.ts';
import type { ConnectorOf, FoundThere } from './messages.ts';
import { LentPermit } from './permits.ts';
import type { Suspects } from './suspects.ts';

let connectors = 0;

/** The cells of a process. */
interface CellsByNamespace {
  /** Started if need be. */
  of(namespace: string): Cell;
  readonly suspects: Pick<Suspects, 'waitOf'>;
}

/** @param member of the spec that the subject has */
export function createCellConnector(
  cells: CellsByNamespace,
  member: string,
  { clock, cluster }: Pick<SubjectPorts<Cluster>, 'clock' | 'cluster'>,
): SubjectConnector {
  connectors += 1;
  const connector: ConnectorOf = { id: connectors, member, localPods: cluster.localPods };
  /** Where an object was admitted last, by its uid. */
  const admittedBy = new Map<string, Cell>();
  const cellOf = (namespace: string): Cell => {
    const cell = cells.of(namespace);
    cell.serve(connector.id, cluster, clock.now() - clock.monotonic());
    return cell;
  };
  return {
    async admit(request, signal) {
      const { namespace, uid } = request;
      const waiting = cells.suspects.waitOf(namespace, clock.now());
      if (waiting) return { admission: waiting };
      const cell = cellOf(namespace);
      admittedBy.set(uid, cell);
      const used = cell.use(namespace);
      const { admission, opened } = await cell.peer
        .request('admit', [connector, request], signal)
        .finally(used);
      if (!opened) return { admission };
      const { driver: id, lease, target } = opened;
      const lock = lease === undefined ? undefined : cell.takeLease(lease);
      const driver = createCellDriver(cell, id, namespace);
      return { admission, opened: { target, driver, ...(lock && { lock }) } };
    },
    async findPodTemplate(namespace, spec, signal) {
      if (cells.suspects.waitOf(namespace, clock.now())) return undefined;
      const cell = cellOf(namespace);
      const used = cell.use(namespace);
      return await cell.peer.request('findPodTemplate', [connector, namespace, spec], signal).finally(used);
    },
    async forget(uid, keepLock) {
      const cell = admittedBy.get(uid);
      admittedBy.delete(uid);
      if (cell && !cell.ended.aborted) await cell.peer.request('forget', [connector, uid, keepLock]);
    },
  };
}

/** A driver in a cell. */
function createCellDriver(cell: Cell, id: number, namespace: string): SubjectDriver {
  const { ended, peer } = cell;
  const used = cell.use(namespace);
  /** Lines that were not taken yet, by the id of their fault. */
  const histories = new Map<string, string[]>();
  const permits = new Set<LentPermit>();
  const take = ({ finding, lines }: FoundThere): Finding => {
    for (const [fault, more] of lines) {
      const known = histories.get(fault) ?? [];
      histories.set(fault, known);
      known.push(...more);
    }
    return finding;
  };
  return {
    ended,
    async perform(effect, permit, signal) {
      const lent = new LentPermit(permit, () => cell.responds);
      // A restore takes back what an injection was permitted, at once.
      for (const other of permits) other.renew();
      permits.add(lent);
      try {
        return take(await peer.request('perform', [id, effect, lent.memory], signal));
      } finally {
        permits.delete(lent);
        lent.end();
      }
    },
    async runActivity(activity, emit, signal) {
      await peer.request('run', [id, activity], signal, (found: FoundThere) => emit(take(found)));
    },
    history(fault) {
      const lines = histories.get(fault);
      return (
        lines && {
          take: () => lines.splice(0),
          release: () => {
            histories.delete(fault);
            peer.request('release', [id, fault]).catch(() => undefined);
          },
        }
      );
    },
    async close() {
      used();
      if (!ended.aborted) await peer.request('close', [id]);
    },
  };
}
