/**
 * Who is there. Every node writes a heartbeat by Redis's clock once a second.
 *
 * A heartbeat is a write, so a write pause silences every node at once and proves nothing about any of them.
 * A node is therefore compared with the newest heartbeat of all, not with the wall clock: while writes are
 * held back every state stays as it was, and after release a node that does not write again turns stale
 * within the threshold. Only a registry that stood still for longer than any pause makes all others stale.
 */

export const HEARTBEAT_INTERVAL_MS = 1_000;

/** A node this far behind the newest heartbeat is stale: it missed three. */
export const STALE_BEHIND_MS = 3_500;

/** A registry without any heartbeat this long vouches for nobody: longer than any pause (60 s) and its release. */
export const REGISTRY_SILENT_MS = 75_000;

export type NodeState = 'ready' | 'stale';

export interface NodeInfo {
  readonly id: string;
  /** Where the node listens, `ip:port`. */
  readonly address: string;
  readonly state: NodeState;
}

/**
 * The nodes in the order of their ids. `self` is always among them and ready: it is the one who answers.
 * @param registry the hash `rl:nodes`; entries that cannot be read are left out
 * @param now by Redis's clock; undefined while it is unknown, which makes every other node stale
 */
export function listNodes(
  registry: Readonly<Record<string, string>>,
  self: { readonly id: string; readonly address: string },
  now: number | undefined,
): NodeInfo[] {
  const beats = Object.entries(registry).flatMap(([id, value]) => {
    const match = /^(\d{1,15}) (\S+)$/.exec(value);
    return match === null ? [] : [{ id, at: Number(match[1]), address: match[2] ?? '' }];
  });
  const newest = Math.max(0, ...beats.map(({ at }) => at));
  const silent = now === undefined || now - newest > REGISTRY_SILENT_MS;
  const others = beats
    .filter(({ id }) => id !== self.id)
    .map(({ id, at, address }): NodeInfo => {
      const state = !silent && newest - at <= STALE_BEHIND_MS ? 'ready' : 'stale';
      return { id, address, state };
    });
  return [...others, { ...self, state: 'ready' as const }].sort((a, b) => (a.id < b.id ? -1 : 1));
}
