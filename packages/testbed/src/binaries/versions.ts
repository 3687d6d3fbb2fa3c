/** The required versions of other programs. Only go.mod files pin them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const own = (name: string): string => fileURLToPath(new URL(`../../go/${name}`, import.meta.url));

/** The folders of the Go modules that pin the control plane. */
export const goModules = { kubernetes: own('kubernetes'), etcd: own('etcd') } as const;

/** The version of `module` that the go.mod in a folder pins, `v1.36.3`; for `go`, the minimum. Throws if it has none. */
export async function readPin(folder: string, module: string): Promise<string> {
  const words = (await readFile(join(folder, 'go.mod'), 'utf8')).split(/\s+/);
  const version = words[words.indexOf(module) + 1];
  if (!words.includes(module) || !version) throw new Error(`${folder}/go.mod does not require ${module}`);
  return version;
}

export type PinnedVersions = Awaited<ReturnType<typeof readPinnedVersions>>;

/** Reads the versions of the control plane, `v1.36.3`. Throws as {@link readPin}. */
export async function readPinnedVersions() {
  return {
    kubernetes: await readPin(goModules.kubernetes, 'k8s.io/kubernetes'),
    etcd: await readPin(goModules.etcd, 'go.etcd.io/etcd/server/v3'),
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
