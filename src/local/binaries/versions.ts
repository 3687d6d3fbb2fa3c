/**
 * Which versions of etcd, Kubernetes and Go the embedded run wants. The go.mod
 * files under tools/ pin them; nothing else does.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with one Go module per program that may have to be built. */
export const toolsFolder = fileURLToPath(new URL('../../../tools', import.meta.url));

/** Versions as Go writes them: modules `v1.36.3`, the language `1.26.0`. */
export interface PinnedVersions {
  readonly kubernetes: string;
  readonly etcd: string;
  readonly go: string;
}

/** Reads the pins. Throws when a go.mod does not hold what it should: that is a broken clone. */
export async function readPinnedVersions(folder: string = toolsFolder): Promise<PinnedVersions> {
  const kubernetes = parseGoMod(await readFile(join(folder, 'kubernetes', 'go.mod'), 'utf8'));
  const etcd = parseGoMod(await readFile(join(folder, 'etcd', 'go.mod'), 'utf8'));
  const newerGo = compareVersions(kubernetes.go, etcd.go) >= 0 ? kubernetes.go : etcd.go;
  return {
    kubernetes: kubernetes.require('k8s.io/kubernetes'),
    etcd: etcd.require('go.etcd.io/etcd/server/v3'),
    go: newerGo,
  };
}

/** The Go that tools/`tool` wants at least: `1.26.0`. Throws as {@link readPinnedVersions}. */
export async function goVersionOf(tool: string): Promise<string> {
  return parseGoMod(await readFile(join(toolsFolder, tool, 'go.mod'), 'utf8')).go;
}

/** The version of `module` that tools/`tool`/go.mod pins. */
export async function readPin(tool: string, module: string): Promise<string> {
  return parseGoMod(await readFile(join(toolsFolder, tool, 'go.mod'), 'utf8')).require(module);
}

function parseGoMod(text: string): { go: string; require: (module: string) => string } {
  const go = /^go (\S+)$/m.exec(text)?.[1];
  if (!go) throw new Error('go.mod has no line "go VERSION"');
  return {
    go,
    require(module) {
      const line = text.split('\n').map((raw) =>
        raw
          .trim()
          .replace(/^require /, '')
          .split(/\s+/),
      );
      const version = line.find(([path]) => path === module)?.[1];
      if (!version) throw new Error(`go.mod does not require ${module}`);
      return version;
    },
  };
}

/**
 * Orders `v1.36.3`, `1.36`, `go1.26rc1` and the like: negative, zero or positive
 * as `a` is older than, equal to or newer than `b`. Missing numbers count as
 * zero; a pre-release is older than its release, and pre-releases compare as text.
 */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  for (let index = 0; index < 3; index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.preRelease === right.preRelease) return 0;
  if (left.preRelease === '') return 1;
  if (right.preRelease === '') return -1;
  return left.preRelease < right.preRelease ? -1 : 1;
}

function parseVersion(version: string): { numbers: number[]; preRelease: string } {
  const match = /^(?:v|go)?(\d+(?:\.\d+){0,2})(?:-?([a-z][0-9a-z.-]*))?(?:\+.*)?$/.exec(version);
  if (!match?.[1]) throw new Error(`"${version}" is not a version`);
  return { numbers: match[1].split('.').map(Number), preRelease: match[2] ?? '' };
}
