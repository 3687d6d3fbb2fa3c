/** Free file descriptors: each connection takes one. */
import { readdir, readFile } from 'node:fs/promises';

/** How many more files this process may open; undefined if the system does not report it (Linux does). */
export async function freeFileDescriptors(): Promise<number | undefined> {
  try {
    const [limits, open] = await Promise.all([
      readFile('/proc/self/limits', 'utf8'),
      readdir('/proc/self/fd'),
    ]);
    const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return limit === undefined ? undefined : Number(limit) - open.length;
  } catch {
    return undefined;
  }
}
