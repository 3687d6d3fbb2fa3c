/** What a history of a lock begins with. */
import { z } from 'zod';
import { historySetup, type Recorded } from '../../history/setup.ts';
import { lockSchema } from '../spec/schema.ts';

/** As on one line of a file. */
export const lockSetup = historySetup.extend({
  /** The lock's part of the spec. */
  lock: lockSchema,
  /** What contenders and their holds were drawn from. */
  seed: z.int().min(0).max(0xffff_ffff),
});

export type Setup = Recorded<z.infer<typeof lockSetup>>;
