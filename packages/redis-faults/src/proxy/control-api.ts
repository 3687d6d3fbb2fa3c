/** The control API of the fault proxy: its faults and its state, as both sides know them. */
import { z } from 'zod';

/**
 * Refuse: no server listens, and open connections are reset. StalePrimary: connections that are open when it begins
 * answer as a former primary, and are closed when it ends; new ones pass. Blackhole: connections stay open and are
 * accepted, and no byte passes until it ends. Latency: what clients send reaches Redis later.
 */
export const FAULT_TYPES = ['Refuse', 'StalePrimary', 'Blackhole', 'Latency'] as const;
export type FaultType = (typeof FAULT_TYPES)[number];

/** No fault of the proxy is longer, whatever is configured; milliseconds. */
export const LONGEST_PROXIED_MS = 600_000;

export const proxyState = z.object({
  /** New with every start of the proxy. */
  instance: z.string().regex(/^[0-9a-f-]{36}$/),
  /** Faults since the start. */
  faults: z.int().min(0),
  /** The port that clients connect to. */
  port: z.int().min(1).max(65_535),
  /** The active fault; milliseconds until it ends. */
  fault: z
    .object({
      type: z.enum(FAULT_TYPES),
      remainingMs: z.int().min(0).max(LONGEST_PROXIED_MS),
    })
    .nullable(),
});
export type ProxyState = z.infer<typeof proxyState>;
