/** Bills of materials by npm, of what esbuild has bundled instead of all that is installed. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../../src/local/root.ts';
import { output } from '../run.ts';
import { assets, type Release } from './release.ts';

/** Of a package, what package-lock.json has. */
interface Locked {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

type Packages = Readonly<Record<string, Locked>>;

/** Writes `name`.cdx.json and `name`.spdx.json for the bundles of dist/`bundles`. */
export async function buildSbom(release: Release, name: string, bundles: string): Promise<void> {
  const folders = JSON.parse(await readFile(join(root, `dist/${bundles}.bundled.json`), 'utf8')) as string[];
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: Packages };
  const temporary = await mkdtemp(join(tmpdir(), 'chaosdemo-sbom-'));
  try {
    // npm writes the name of the folder into the document.
    const folder = join(temporary, name);
    await mkdir(folder);
    const packages = bundledPackages(lock.packages, folders);
    const manifest = {
      name,
      version: release.version,
      license: 'Apache-2.0',
      dependencies: topLevel(packages),
    };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    const ofLock = {
      name,
      version: release.version,
      lockfileVersion: 3,
      packages: { '': manifest, ...packages },
    };
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify(ofLock));
    for (const [format, extension] of [
      ['cyclonedx', 'cdx'],
      ['spdx', 'spdx'],
    ] as const) {
      const sbom = ['sbom', '--package-lock-only', '--sbom-type=application', `--sbom-format=${format}`];
      const text = await output('npm', sbom, { ...release, cwd: folder });
      const file = join(assets(release), `${name}.${extension}.json`);
      await writeFile(file, withoutChance(text, release));
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The entries of these folders, and of their dependencies that are bundled. Pure. */
export function bundledPackages(all: Packages, folders: readonly string[]): Packages {
  const bundled = new Set(folders);
  return Object.fromEntries(
    folders.map((folder) => {
      const { version, resolved, integrity, license, dependencies = {} } = all[folder] as Locked;
      const kept = Object.entries(dependencies).filter(([name]) => bundled.has(resolve(all, folder, name)));
      return [folder, { version, resolved, integrity, license, dependencies: Object.fromEntries(kept) }];
    }),
  );
}

/** The folder that Node loads `name` from in `folder`: the nearest node_modules that has it. */
function resolve(all: Packages, folder: string, name: string): string {
  for (let at = folder; at !== '.'; at = dirname(at)) {
    const candidate = `${at}/node_modules/${name}`;
    if (candidate in all) return candidate;
  }
  return `node_modules/${name}`;
}

function topLevel(packages: Packages): Record<string, string> {
  const top = Object.entries(packages).filter(([folder]) => folder.lastIndexOf('node_modules/') === 0);
  return Object.fromEntries(
    top.map(([folder, { version }]) => [folder.slice('node_modules/'.length), version]),
  );
}

/** npm gives each document a new name, and the time of day. Here, both derive from the commit. */
function withoutChance(text: string, { commit, epoch }: Release): string {
  const uuid = commit.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, uuid)
    .replaceAll(/"(timestamp|created)": "[^"]*"/g, `"$1": "${new Date(epoch * 1000).toISOString()}"`);
}
