/** What a history of a lock begins with. */
import { z } from 'zod';
import { historySetup, type Recorded } from '../../history/setup.ts';
import { lockSchema } from '../spec/schema.ts';

/** As on one line of a file. */
export const lockSetup = historySetup.extend({
  /** The lock's part of the spec. */
  lock: lockSchema,
  /** In earlier histories only. */
  seed: z.int().optional(),
});

export type Setup = Recorded<z.infer<typeof lockSetup>>;
