/** docs/pictures/pictures.json: which pictures there are, and from which version of what they show. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The folder with the pictures. */
export const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
export const MANIFEST = 'pictures.json';
/** What helps where the pictures are not as they should be. */
export const REMAKE = 'npm run pictures makes them again';

const manifest = z.strictObject({
  madeBy: z.string(),
  shown: z.strictObject({ view: z.string(), pages: z.string() }),
  /** Hashes of the files, by their names. */
  files: z.record(z.string(), z.string()),
});
export type Manifest = z.infer<typeof manifest>;

/** @throws where there is none, or another thing under its name; says what to do */
export async function readManifest(): Promise<Manifest> {
  try {
    return manifest.parse(JSON.parse(await readFile(`${FOLDER}${MANIFEST}`, 'utf8')));
  } catch (error) {
    throw new Error(`docs/pictures/${MANIFEST} cannot be used; ${REMAKE}`, { cause: error });
  }
}

/** Hash of the content of a picture. */
export function fileHash(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}
