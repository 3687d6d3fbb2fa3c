/** The cache outside the clone, shared by all clones: one folder per version and platform. */
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** Prints one line of progress. */
export type Progress = (message: string) => void;

/** How steps report progress and are stopped, and their environment. */
export interface StepOptions {
  /** Default: that of this process. HOME, XDG_CACHE_HOME and PATH apply everywhere. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** This operating system and processor as Go names them: `linux-amd64`. */
export const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

/**
 * `$XDG_CACHE_HOME/chaosdemo`, by default under ~/.cache; by its specification, a relative XDG_CACHE_HOME is ignored.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  const root = base?.startsWith('/') ? base : join(env['HOME'] || userInfo().homedir, '.cache');
  return join(root, 'chaosdemo');
}
