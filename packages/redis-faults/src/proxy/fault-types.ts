/** What the fault proxy does to connections, as its control API names it. */
/**
 * Refuse: no server listens, and open connections are reset. StalePrimary: connections that are open when it begins
 * answer as a former primary, and are closed when it ends; new ones pass. Blackhole: connections stay open and are
 * accepted, and no byte passes until it ends. Latency: what clients send reaches Redis later.
 */
export const FAULT_TYPES = ['Refuse', 'StalePrimary', 'Blackhole', 'Latency'] as const;
export type FaultType = (typeof FAULT_TYPES)[number];
