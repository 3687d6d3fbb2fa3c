/** What was known before the first event of a history: all inputs of its judgement besides the events. */
import { z } from 'zod';
import type { ScenarioSpec } from '../../api/index.ts';

/** Changes when the meaning of a history changes. */
export const HISTORY_VERSION = 'chaosdemo/history/v2';

export const figure = z.number().min(0).max(9_007_199_254_740_991);
const text = z.string().max(2048);

/** As on one line of a file. Each kind of subject adds its part of the spec. */
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
  /** Names of the pods, in the order in which they are sent requests. */
  pods: z.array(z.string().min(1).max(253)).min(1).max(1024),
  /** Names of the pods of Redis; left out: not known. */
  redis: z.array(z.string().min(1).max(253)).max(1024).optional(),
  /** Name of the fixture: every key begins with it. */
  fixture: z.string().min(1).max(253),
  /** When it was set up; milliseconds since the epoch, as every time of the history. */
  preparedAt: figure,
  /** The slowest write of the store without a fault, in milliseconds; 0: not measured. */
  usualWriteMs: figure,
  /** Why it is not shown that the pods use the store that fails; left out: it is. */
  storeDoubt: text.optional(),
});

export type Recorded<S> = Omit<Readonly<S>, 'scenario'> & { readonly scenario: ScenarioSpec };
export type Setup = Recorded<z.infer<typeof historySetup>>;
