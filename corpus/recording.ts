/** A recording: the evidence of one real watch, and what is known to have been wrong while it lasted. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { anomalyClasses } from '../src/diagnosis/index.ts';
import { evidenceBundle } from '../src/evidence/index.ts';

export const RECORDINGS = fileURLToPath(new URL('recordings', import.meta.url));

const moment = z.int().min(0);

const schema = z.strictObject({
  /** `dead-node-2`: the case and its variation. */
  name: z.string().regex(/^[a-z0-9-]{1,60}$/),
  /** The case, which groups variations. */
  case: z.string(),
  /** What was done, for people. */
  says: z.string(),
  /** Kept back while rules and prompts are made; what counts is what they get right of these. */
  heldBack: z.boolean(),
  /** What was wrong, and when; empty: nothing was. Times as in the bundle. */
  truths: z.array(
    z.strictObject({
      anomaly: z.enum(anomalyClasses).exclude(['none', 'unknown']),
      components: z.array(z.string()).min(1),
      fromMs: moment,
      toMs: moment,
    }),
  ),
  /** Its times count from the first point that was seen, so that they do not show when the fault began. */
  bundle: evidenceBundle,
});

export type Recording = z.infer<typeof schema>;

/** All recordings, by name. @throws an error that names the file which is no recording of this version */
export async function readRecordings(folder: string = RECORDINGS): Promise<Recording[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return await Promise.all(
    files.map(async (file) => {
      const parsed = schema.safeParse(JSON.parse(await readFile(`${folder}/${file}`, 'utf8')));
      if (parsed.success) return parsed.data;
      throw new Error(`${file} is no recording: ${z.prettifyError(parsed.error)}; record it again`);
    }),
  );
}
