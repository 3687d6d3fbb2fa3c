/**
 * A cell: a thread in which the subjects of some namespaces are connected. All that their targets send is read here, and
 * nothing of it in the thread that leads; what stops this thread stops its own runs.
 */
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { sleep } from '@chaosdemo/kube-runtime';
import type { Clock } from '../../engine/clock.ts';
import type { Finding } from '../../engine/findings.ts';
import type { SubjectConnector, SubjectDriver } from '../../engine/subject.ts';
import { subjectsExplainedBy } from '../../subjects/index.ts';
import { createLogger } from '../log.ts';
import { profilesWith } from '../profiles.ts';
import { BEAT_MS } from './beats.ts';
import { CellMemory } from './cell-memory.ts';
import type { CellData, ConnectorOf, FoundThere, OfCell, OfHost } from './messages.ts';
import { type Handlers, Peer } from './peer.ts';
import { BorrowedPermit } from './permits.ts';
import { type RemoteLease, remoteCluster } from './remote-cluster.ts';

/** A driver, with the faults whose histories it may have. */
interface Opened {
  readonly driver: SubjectDriver;
  readonly faults: Set<string>;
}

const data = workerData as CellData;
const memory = new CellMemory(data.memory);
const clock: Clock = {
  now: () => performance.now() + memory.clockOffset,
  monotonic: () => performance.now(),
  sleep,
};
const logger = createLogger({ level: data.logLevel, identity: data.identity });
const subjects = subjectsExplainedBy(await profilesWith(data.models));
const connectors = new Map<number, SubjectConnector>();
const drivers = new Map<number, Opened>();
let opened = 0;

const handlers: Handlers<OfCell> = {
  async admit({ signal }, connector, request) {
    const { admission, opened: found } = await connectorOf(connector).admit(request, signal);
    if (!found) return { admission };
    const { driver, lock, target } = found;
    opened += 1;
    drivers.set(opened, { driver, faults: new Set() });
    const { id: lease } = (lock ?? {}) as Partial<RemoteLease>;
    return { admission, opened: { target, driver: opened, lease } };
  },
  findPodTemplate: ({ signal }, connector, namespace, spec) =>
    connectorOf(connector).findPodTemplate(namespace, spec, signal),
  forget: (_, connector, uid, keepLock) => connectorOf(connector).forget(uid, keepLock),
  async perform({ signal }, id, effect, permit) {
    const at = open(id);
    const finding = await at.driver.perform(effect, new BorrowedPermit(permit), signal);
    if (finding.kind === 'Prepared') at.faults.add(finding.fault);
    return withLines(at, finding);
  },
  async run({ report, signal }, id, activity) {
    const at = open(id);
    await at.driver.runActivity(activity, (finding) => report(withLines(at, finding)), signal);
  },
  async release(_, id, fault) {
    const { driver, faults } = open(id);
    driver.history?.(fault)?.release();
    faults.delete(fault);
  },
  async close(_, id) {
    const { driver } = open(id);
    drivers.delete(id);
    await driver.close();
  },
};

if (!parentPort) throw new Error('a cell is started as a thread');
const host = new Peer<OfHost>(parentPort, handlers);
setInterval(beat, BEAT_MS);
beat();

function beat(): void {
  const { external_memory, total_physical_size } = getHeapStatistics();
  memory.beat(external_memory + total_physical_size);
}

/** A finding with all lines that are new; the health is checked about once a second, so they never wait for long. */
function withLines({ driver, faults }: Opened, finding: Finding): FoundThere {
  const all = [...faults].map((fault) => [fault, driver.history?.(fault)?.take() ?? []] as const);
  return { finding, lines: new Map(all.filter(([, lines]) => lines.length > 0)) };
}

function open(id: number): Opened {
  const found = drivers.get(id);
  if (!found) throw new Error('the driver is closed');
  return found;
}

function connectorOf(of: ConnectorOf): SubjectConnector {
  const known = connectors.get(of.id);
  if (known) return known;
  const subject = subjects.find(({ definition }) => definition.api.member === of.member);
  if (!subject) throw new RangeError(`there is no subject ${of.member}`);
  const { faultCooldownMs, place, shared } = data;
  const cluster = remoteCluster(host, of);
  const connector = subject.connect({
    cluster,
    clock,
    faultCooldownMs,
    logger,
    shared: { memory: shared, place },
  });
  connectors.set(of.id, connector);
  return connector;
}
