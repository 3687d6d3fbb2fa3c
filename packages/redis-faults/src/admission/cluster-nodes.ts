/**
 * The masters of a Redis Cluster, from CLUSTER NODES of every pod behind its Service: all slots are covered, no slot
 * moves, no master is failing, and all nodes agree. A node only names addresses, and none is used unless a Ready pod of
 * the Service has it. Pure. The format: https://redis.io/docs/latest/commands/cluster-nodes/
 */
import { SLOTS, slotsIn } from '../client/key-slot.ts';
import { asPerServer, type PerServer } from '../client/per-server.ts';
import { type RedisWireError, unexpectedReply } from '../client/redis-error.ts';
import { type RedisTarget, redisName, settingOf } from '../client/redis-target.ts';
import { listed } from '../text.ts';
import { notEligible } from './redis-refusal.ts';

/** More masters are not paused at once. */
export const MOST_MASTERS = 16;

/** One node, as another sees it. */
export type ClusterNode = ReturnType<typeof parseNode>;

/** What one node reports of its Cluster. */
export type ClusterReport = ReturnType<typeof readCluster>;

/** A pod, and what it reports. */
export interface ClusterView {
  readonly target: RedisTarget;
  /** Left out: it is not a node of a Cluster. */
  readonly cluster?: ClusterReport;
}

/**
 * Reads CLUSTER NODES of this pod: its masters in a fixed order, the node that reports unless it does not show itself, and
 * a layout that changes with each node, address and slot of the masters.
 * @throws RedisWireError for another text
 * @throws {RedisRefusal} RedisNotEligible unless it reports a Cluster at rest
 */
export function readCluster(target: RedisTarget, text: string) {
  const nodes = parseClusterNodes(text).map((node) =>
    // A node that has met no other does not know its own address.
    node.flags.has('myself') && node.host === '' ? { ...node, host: target.host } : node,
  );
  const masters = mastersIn(nodes);
  const itself = nodes.find(({ flags }) => flags.has('myself'));
  return { masters, itself, layout: layoutOf(target, nodes, masters) };
}

/** @throws RedisWireError unless each line is that of a node */
export function parseClusterNodes(text: string): ClusterNode[] {
  return text.split(/\r?\n/).filter(Boolean).map(parseNode);
}

/** `<id> <ip>:<port>@<bus port>[,...] <flags> <master> <ping> <pong> <epoch> <link> [<slots> ...]` */
function parseNode(line: string) {
  const [id = '', endpoint = '', flags = '', primaryId = '', , , , link, ...ranges] = line.split(' ');
  const [address = ''] = endpoint.split(/[@,]/, 1);
  const at = address.lastIndexOf(':');
  const port = address.slice(at + 1);
  if (!/^[0-9a-f]{40}$/.test(id) || at === -1 || !/^\d{1,5}$/.test(port) || link === undefined)
    throw noNode();
  return {
    /** 40 hexadecimal digits; stays with the node through restarts. */
    id,
    host: address.slice(0, at),
    port: Number(port),
    flags: new Set(flags.split(',')),
    /** Id of the primary that it copies; '-': of none. */
    primaryId,
    slots: ranges.filter((range) => !range.startsWith('[')).map(parseRange),
    /** A slot moves to or from it. */
    isMoving: ranges.some((range) => range.startsWith('[')),
  };
}

function parseRange(text: string): readonly [number, number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || first > last || last >= SLOTS) throw noNode();
  return [first, last];
}

function noNode(): RedisWireError {
  return unexpectedReply('CLUSTER NODES', 'one node a line', 'other text');
}

/**
 * @param views of every Ready pod behind the Service
 * @returns the views of the masters, whose targets have their slots; and their layout, which changes with each node,
 * address and slot
 * @throws {RedisRefusal} RedisNotEligible with the first obstacle
 */
export function mastersOf<V extends ClusterView>(
  views: PerServer<V>,
): { readonly masters: PerServer<V>; readonly layout: string } {
  const [{ cluster: { layout = '', masters: nodes = [] } = {}, target }] = views;
  const other = views.find(({ cluster }) => cluster?.layout !== layout);
  if (other) {
    throw notEligible(
      `${redisName(other.target)} reports other primaries, addresses or slots than ${redisName(target)}: name a Service that selects the pods of one Cluster only, or wait until all nodes agree`,
    );
  }
  const masters = nodes
    .map((node) => {
      const own = viewOf(node, views);
      return { ...own, target: { ...own.target, slots: node.slots } };
    })
    .toSorted((a, b) => (a.target.podName < b.target.podName ? -1 : 1));
  return { masters: asPerServer(masters), layout };
}

/** The layout of the masters that one node reports. @throws {RedisRefusal} unless it reports a Cluster at rest */
function layoutOf(
  target: RedisTarget,
  nodes: readonly ClusterNode[],
  masters: readonly ClusterNode[],
): string {
  for (const { flags, id, isMoving } of masters) {
    const primary = `primary ${nameOf(id)}`;
    if (['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => flags.has(flag))) {
      throw notEligible(
        `${redisName(target)} reports that ${primary} fails: wait until it is back, or has been replaced`,
      );
    }
    if (isMoving) {
      throw notEligible(
        `${redisName(target)} reports that slots move to or from ${primary}: wait until the reshard has ended`,
      );
    }
  }
  const idle = nodes.find(
    ({ flags, slots }) =>
      slots.length === 0 && flags.has('master') && !flags.has('fail') && !flags.has('noaddr'),
  );
  if (idle) {
    throw notEligible(
      `${redisName(target)} reports primary ${nameOf(idle.id)} without slots: give it slots, make it a replica, or remove it with CLUSTER FORGET`,
    );
  }
  if (masters.length > MOST_MASTERS) {
    throw notEligible(
      `${redisName(target)} reports ${masters.length} primaries, and at most ${MOST_MASTERS} are paused at once: use a smaller Cluster`,
    );
  }
  const covered = new Uint8Array(SLOTS);
  let count = 0;
  for (const node of masters) {
    for (const slot of slotsIn(node.slots)) {
      covered[slot] = 1;
      count += 1;
      // Ranges that overlap could have any number of slots.
      if (count > SLOTS) break;
    }
  }
  if (count !== SLOTS || covered.includes(0)) {
    throw notEligible(
      `${redisName(target)} does not report exactly one primary for each of ${SLOTS} slots: see redis-cli --cluster check`,
    );
  }
  return masters
    .map(
      ({ host, id, port, slots }) =>
        `${id} ${host}:${port} ${slots.map((range) => range.join('-')).join(',')}`,
    )
    .join('\n');
}

function mastersIn(nodes: readonly ClusterNode[]): ClusterNode[] {
  return nodes
    .filter(({ flags, isMoving, slots }) => flags.has('master') && (slots.length > 0 || isMoving))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** What the Ready pod reports that is this master, by its address and by what it reports of itself. @throws {RedisRefusal} */
function viewOf<V extends ClusterView>({ host, id, port }: ClusterNode, views: readonly V[]): V {
  const view = views.find(({ target }) => target.host === host && target.port === port);
  const names = listed(views.map(({ target }) => target.podName));
  if (!view) {
    const service = settingOf(views[0]?.target ?? {}, 'serviceName');
    throw notEligible(
      `primary ${nameOf(id)} of the Redis Cluster is at an address that no Ready pod behind ${service} has (it selects ${names}): name a Service that selects all pods of the Cluster, and wait until they are Ready`,
    );
  }
  if (view.cluster?.itself?.id !== id) {
    throw notEligible(
      `${redisName(view.target)} is another node of the Cluster than at its address: wait until all nodes agree`,
    );
  }
  return view;
}

/** As redis-cli abbreviates it. */
function nameOf(id: string): string {
  return id.slice(0, 8);
}
