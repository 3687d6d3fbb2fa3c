/**
 * What one node knows of one window, and how that knowledge grows: the heart of the approximate mode. Pure.
 *
 * Each node owns one number, the requests it admitted, which only ever grows. What travels to Redis is this
 * absolute number and never an increment, and Redis keeps the larger of the stored and the sent one. So a
 * sync may be repeated, reordered, cut off or lost without counting twice, and the next one makes up for it
 * (a grow-only counter: merging is commutative, associative and idempotent).
 */

/** Requests admitted in a window, by node id. */
export type Counts = ReadonlyMap<string, number>;

export interface NodeWindow {
  /** Requests this node admitted. */
  readonly admitted: number;
  /**
   * What this node knows Redis to hold for it. In strict mode it may exceed `admitted`: Redis counted a
   * request, and its answer came too late to admit it.
   */
  readonly synced: number;
  /** The other nodes' counts as last seen. */
  readonly others: Counts;
}

export interface Admission {
  readonly allowed: boolean;
  /** What this node believes is left in the window after this request. */
  readonly remaining: number;
}

/**
 * A window as first met. `stored` is what Redis holds then: a node that restarts within a window takes up
 * the count it had under the same id.
 */
export function openWindow(node: string, stored: Counts): NodeWindow {
  const own = stored.get(node) ?? 0;
  return { admitted: own, synced: own, others: without(stored, node) };
}

/** Decides one request from this node's own count and what it last saw of the others. */
export function admit(window: NodeWindow, limit: number): { window: NodeWindow; admission: Admission } {
  const left = limit - window.admitted - totalOf(window.others);
  if (left <= 0) return { window, admission: { allowed: false, remaining: 0 } };
  return {
    window: { ...window, admitted: window.admitted + 1 },
    admission: { allowed: true, remaining: left - 1 },
  };
}

/** After Redis acknowledged a sync that carried `sent`, and returned what it now holds. */
export function acknowledge(window: NodeWindow, node: string, sent: number, stored: Counts): NodeWindow {
  return {
    ...window,
    synced: Math.max(window.synced, sent),
    others: mergeCounts(window.others, without(stored, node)),
  };
}

/**
 * After a read of what Redis holds. `current` says that no sync was under way since the read was sent: only
 * then may it lower `synced`, which happens when Redis lost its memory - and makes the next sync write the
 * count again. The others' counts never fall: what was admitted stays admitted.
 */
export function observe(window: NodeWindow, node: string, stored: Counts, current: boolean): NodeWindow {
  const own = stored.get(node) ?? 0;
  return {
    ...window,
    synced: current ? own : Math.max(window.synced, own),
    others: mergeCounts(window.others, without(stored, node)),
  };
}

/** True when Redis does not hold all of this node's count. */
export function isPending(window: NodeWindow): boolean {
  return window.admitted > window.synced;
}

/** The larger count of each node. */
export function mergeCounts(a: Counts, b: Counts): Counts {
  const merged = new Map(a);
  for (const [node, count] of b) merged.set(node, Math.max(count, merged.get(node) ?? 0));
  return merged;
}

export function totalOf(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function without(counts: Counts, node: string): Counts {
  return new Map([...counts].filter(([id]) => id !== node));
}
