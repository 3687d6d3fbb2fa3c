/** What a fault may cost, in the spec of a scenario. */
import { z } from 'zod';

/** What can be bounded, and what is measured of it. */
export const PRICES = {
  connections: 'Connections to Redis, compared with those before the fault.',
  memory: 'The same of memory, of Redis and each pod.',
} as const;
export const PRICED = ['connections', 'memory'] as const satisfies readonly (keyof typeof PRICES)[];

const most = (what: keyof typeof PRICES) => z.number().min(1).max(1000).optional().describe(PRICES[what]);

export const priceSchema = z
  .object({ connections: most('connections'), memory: most('memory') })
  .optional()
  .describe('At most so many times as before the fault; more is Violated. If left out, it is only reported.');

export type Price = NonNullable<z.output<typeof priceSchema>>;
