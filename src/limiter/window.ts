/**
 * Fixed windows, and the counts known to one node. Pure; all times are milliseconds since the epoch by Redis's clock.
 *
 * Each node has one number in a window, the requests it admitted, which only grows. It sends this absolute number to
 * Redis and never an increment, and Redis keeps the larger of the stored and the sent one. So a sync may be repeated,
 * reordered, cut off or lost without counting twice (a grow-only counter).
 */

/** A limit as it is stored in Redis. */
export interface LimitDefinition {
  readonly key: string;
  /** Requests admitted in one window over all nodes; 0 admits none. */
  readonly limit: number;
  readonly windowMs: number;
  /** When window 0 began. */
  readonly startsAt: number;
  /** Identifies one definition of the key; a new definition is a new generation with fresh windows. */
  readonly generation: string;
}

/** Window `index` of a definition: from `startsAt`, up to but without `endsAt`. */
export interface FixedWindow {
  /** `<generation>-<index>`; unique over all windows a key ever had. */
  readonly id: string;
  readonly index: number;
  readonly startsAt: number;
  readonly endsAt: number;
}

/**
 * The window of `definition` that holds `now`. A time before `startsAt`, which a clock estimate can yield just after
 * the definition was made, belongs to window 0.
 */
export function windowAt({ generation, startsAt, windowMs }: LimitDefinition, now: number): FixedWindow {
  const index = Math.max(0, Math.floor((now - startsAt) / windowMs));
  const start = startsAt + index * windowMs;
  return { id: `${generation}-${index}`, index, startsAt: start, endsAt: start + windowMs };
}

/** True when `candidate` replaces `known`: the definition that began last wins, whatever the order of arrival. */
export function supersedes(candidate: LimitDefinition, known: LimitDefinition | undefined): boolean {
  return known === undefined || candidate.startsAt > known.startsAt;
}

/** Requests admitted in a window, by node id. */
export type Counts = ReadonlyMap<string, number>;

/** The counts of one window, as one node knows them. */
export interface NodeWindow {
  /** Requests this node admitted. */
  readonly admitted: number;
  /**
   * The count of this node that Redis is known to hold. In strict mode it may exceed `admitted`: Redis counted a
   * request, and its reply came too late to admit it.
   */
  readonly synced: number;
  /** The sum of the other nodes' counts. It never falls: what was admitted stays admitted. */
  readonly others: number;
}

/** A new window. After a restart within it, the node continues from the count that Redis has under its id. */
export function openWindow(node: string, stored: Counts): NodeWindow {
  const own = stored.get(node) ?? 0;
  return { admitted: own, synced: own, others: othersIn(stored, node) };
}

/** Decides one request from this node's own count and the last known counts of the others. */
export function admit(
  window: NodeWindow,
  limit: number,
): { readonly window: NodeWindow; readonly allowed: boolean; readonly remaining: number } {
  const left = limit - window.admitted - window.others;
  if (left <= 0) return { window, allowed: false, remaining: 0 };
  return { window: { ...window, admitted: window.admitted + 1 }, allowed: true, remaining: left - 1 };
}

/**
 * Updates the window from Redis. Only with `isCurrent` (no sync in progress since the read was sent) may this lower
 * `synced`: then Redis has lost its data, and the next sync writes the count again.
 */
export function observe(window: NodeWindow, node: string, stored: Counts, isCurrent: boolean): NodeWindow {
  const own = stored.get(node) ?? 0;
  return {
    ...window,
    synced: isCurrent ? own : Math.max(window.synced, own),
    others: Math.max(window.others, othersIn(stored, node)),
  };
}

/** Requests admitted here that Redis does not hold. */
export function pendingIn({ admitted, synced }: NodeWindow): number {
  return Math.max(0, admitted - synced);
}

function othersIn(stored: Counts, node: string): number {
  let sum = 0;
  for (const [id, count] of stored) if (id !== node) sum += count;
  return sum;
}
