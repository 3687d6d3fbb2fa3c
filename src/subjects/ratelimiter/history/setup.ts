/** What was known before the first event of a history: all inputs of its judgement besides the events. */
import { z } from 'zod';
import type { ScenarioSpec } from '../../../api/index.ts';
import { completed, rateLimiterSchema } from '../spec/schema.ts';

/** Changes when the meaning of a history changes. */
export const HISTORY_VERSION = 'chaosdemo/history/v2';

/** Changes when other callers are drawn from a seed: who should have sent what is known of this version only. */
export const DRAWS = 1;

const figure = z.number().min(0).max(9_007_199_254_740_991);
const count = z.int().min(0).max(1_000_000_000);
const text = z.string().max(2048);

/** More requests than the limit allows, without a fault and spread over time. */
const denying = z.strictObject({
  limit: count,
  sent: count,
  admitted: count,
});

/** As on one line of a file. */
export const historySetup = z.strictObject({
  kind: z.literal('setup'),
  version: z.literal(HISTORY_VERSION),
  /** The scenario of the spec, with its type and its parameters. */
  scenario: z.looseObject({
    name: z.string().min(1).max(63),
    type: z.string().min(1).max(63),
    expect: z.enum(['Violated', 'Held', 'Any']),
    countdown: z.string().max(32),
  }),
  /** The rate limiter's part of the spec. */
  limiter: rateLimiterSchema.transform(completed),
  /** Names of the pods, in the order in which they are sent requests. */
  pods: z.array(z.string().min(1).max(253)).min(1).max(1024),
  /** Names of the pods of Redis; left out: not known. */
  redis: z.array(z.string().min(1).max(253)).max(1024).optional(),
  /** Name of the fixture: every caller's key begins with it. */
  fixture: z.string().min(1).max(253),
  /** Which callers a seed draws, see `population.ts`; left out in earlier histories. */
  draws: z.literal(DRAWS).optional(),
  /** When the callers were set up; milliseconds since the epoch, as every time of the history. */
  preparedAt: figure,
  /** How far the clocks of the limiter and of the sender may be apart; milliseconds. */
  clockWithinMs: figure,
  /** The slowest write of the store without a fault, in milliseconds; 0: not measured. */
  usualWriteMs: figure,
  /** Why it is not shown that the limiter counts in the store that fails; left out: it is. */
  storeDoubt: text.optional(),
  /** What was measured without a fault; left out: this process measured nothing. */
  baseline: z
    .strictObject({
      writeP50Ms: figure,
      writeMaxMs: figure,
      denying,
      /** The largest lag of counts at the rate of this scenario. */
      lag: count.optional(),
    })
    .optional(),
});

export type Setup = Omit<Readonly<z.infer<typeof historySetup>>, 'scenario'> & {
  readonly scenario: ScenarioSpec;
};
