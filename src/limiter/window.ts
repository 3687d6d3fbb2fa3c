/**
 * Fixed windows: when a key's window starts and ends, and what it is called. Pure; all times are
 * milliseconds since the epoch by Redis's clock.
 */

/** A limit as it stands in Redis. */
export interface LimitDefinition {
  readonly key: string;
  /** Requests admitted in one window over all nodes; 0 admits none. */
  readonly limit: number;
  readonly windowMs: number;
  /** When window 0 began. */
  readonly startsAt: number;
  /** Names one definition of the key; defining it again makes a new generation with fresh windows. */
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
 * The window of `definition` that holds `now`. A moment before `startsAt`, which a clock estimate can yield
 * just after the definition was made, belongs to window 0.
 */
export function windowAt(definition: LimitDefinition, now: number): FixedWindow {
  const { generation, startsAt, windowMs } = definition;
  const index = Math.max(0, Math.floor((now - startsAt) / windowMs));
  const start = startsAt + index * windowMs;
  return { id: `${generation}-${index}`, index, startsAt: start, endsAt: start + windowMs };
}

/** True when `candidate` replaces `known`: the definition that began last wins, whatever the order of arrival. */
export function supersedes(candidate: LimitDefinition, known: LimitDefinition | undefined): boolean {
  return known === undefined || candidate.startsAt > known.startsAt;
}

/** Whole seconds until `endsAt`, rounded up and at least 1: who waits that long finds the next window. */
export function secondsUntil(endsAt: number, now: number): number {
  return Math.max(1, Math.ceil((endsAt - now) / 1000));
}
