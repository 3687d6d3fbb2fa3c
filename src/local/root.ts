import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A program of this repository; in an npm package, where all is bundled, the bundle beside this one. */
export function programFile(source: string, bundle: string): string {
  return import.meta.url.endsWith('.ts')
    ? join(root, source)
    : fileURLToPath(new URL(bundle, import.meta.url));
}
