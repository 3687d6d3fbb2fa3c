/** What a history of a rate limiter begins with. */
import { z } from 'zod';
import { figure, historySetup, type Recorded } from '../../history/setup.ts';
import { RULES } from '../limits/counting.ts';
import { completed, rateLimiterSchema } from '../spec/schema.ts';

/** Changes when other callers are drawn from a seed: who should have sent what is known of this version only. */
export const DRAWS = 1;

const count = z.int().min(0).max(1_000_000_000);

/** More requests than the limit allows, without a fault and spread over time. */
const denying = z.strictObject({
  limit: count,
  sent: count,
  admitted: count,
});

/** As on one line of a file. */
export const limiterSetup = historySetup.extend({
  /** The rate limiter's part of the spec. */
  limiter: rateLimiterSchema.transform(completed),
  /** Which callers a seed draws, see `population.ts`; left out in earlier histories. */
  draws: z.literal(DRAWS).optional(),
  /** How far the clocks of the limiter and of the sender may be apart; milliseconds. */
  clockWithinMs: figure,
  /** What was measured without a fault; left out: this process measured nothing. */
  baseline: z
    .strictObject({
      writeP50Ms: figure,
      writeMaxMs: figure,
      denying,
      /** The rules by which the limiter may count, of those that the spec leaves open; left out: all of them. */
      rules: z.array(z.enum(RULES)).max(RULES.length).optional(),
      /** Whether nothing has shown that windows are as long as the spec states. */
      isWindowOpen: z.boolean().optional(),
      /** That a caller which keeps asking stays rejected, in words; left out: that is not shown. */
      lockOut: z.string().max(2048).optional(),
      /** The largest lag of counts at the rate of this scenario. */
      lag: count.optional(),
    })
    .optional(),
});

export type Setup = Recorded<z.infer<typeof limiterSetup>>;
