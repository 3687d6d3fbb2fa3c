/** The required versions of other programs. Only the go.mod files under tools/ pin them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../run.ts';

/** The folder with one Go module per program that may have to be built. */
export const toolsFolder = join(root, 'tools');

/** The version of `module` pinned in tools/`tool`/go.mod, `v1.36.3`; for `go`, the minimum. Throws if there is none. */
export async function readPin(tool: string, module: string, folder = toolsFolder): Promise<string> {
  const words = (await readFile(join(folder, tool, 'go.mod'), 'utf8')).split(/\s+/);
  const version = words[words.indexOf(module) + 1];
  if (!words.includes(module) || !version) throw new Error(`${tool}/go.mod does not require ${module}`);
  return version;
}

/** Versions of the control plane, `v1.36.3`. */
export interface PinnedVersions {
  readonly kubernetes: string;
  readonly etcd: string;
}

/** Reads those of the control plane. Throws as {@link readPin}. */
export async function readPinnedVersions(folder?: string): Promise<PinnedVersions> {
  return {
    kubernetes: await readPin('kubernetes', 'k8s.io/kubernetes', folder),
    etcd: await readPin('etcd', 'go.etcd.io/etcd/server/v3', folder),
  };
}

/**
 * Orders `v1.36.3`, `1.36`, `go1.26.1` and the like by their first three numbers: negative, zero or positive if `a` is
 * older than, equal to or newer than `b`. Missing numbers count as zero; a pre-release counts as its release.
 */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string): number[] =>
    (/\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  const differences = [0, 1, 2].map((i) => (left[i] ?? 0) - (right[i] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}
