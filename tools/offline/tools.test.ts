import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensureCrds, ensureTool } from './programs.ts';

// Plays Go: says its version and "builds" a file; counts its builds.
const FAKE_GO = `#!/bin/sh
case "$1" in
  env) echo go1.99.0 ;;
  build) echo "$*" >> "$BUILDS"
    while [ "$1" != -o ]; do shift; done
    echo built > "$2" ;;
esac
`;

describe('ensureTool', () => {
  it('a tool is built once for concurrent requests, and a killed build is cleared', async () => {
    const { env, folder } = await machine();
    const made = dirname(await ensureTool('kubeconform', { env, progress: () => {} }));
    await rm(made, { recursive: true });
    await mkdir(`${made}.partial-00ff`);
    await Promise.all([1, 2].map(() => ensureTool('kubeconform', { env, progress: () => {} })));
    expect(await builds(folder)).toHaveLength(2);
    expect(await cached(env)).toEqual([basename(made)]);
  });
});

describe('ensureCrds', () => {
  it('takes them from the source that Go has, without a build', async () => {
    const { env, folder } = await machine(
      '#!/bin/sh\n[ "$1" = mod ] && printf \'{"Dir": "%s"}\' "${0%/*}"\n',
    );
    await mkdir(join(folder, 'config/crd/bases'), { recursive: true });
    await writeFile(join(folder, 'config/crd/bases/things.yaml'), 'kind: CustomResourceDefinition\n');
    const crds = await ensureCrds('source-controller', { env, progress: () => {} });
    expect(await readdir(crds)).toEqual(['things.yaml']);
  });
});

async function machine(go = FAKE_GO) {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'go'), go, { mode: 0o755 });
  const env = { XDG_CACHE_HOME: folder, PATH: `${folder}:/usr/bin:/bin`, BUILDS: join(folder, 'builds') };
  return { env, folder };
}

async function cached({ XDG_CACHE_HOME }: { XDG_CACHE_HOME: string }): Promise<string[]> {
  return await readdir(join(XDG_CACHE_HOME, 'chaosdemo', 'programs'));
}

async function builds(folder: string): Promise<string[]> {
  return (await readFile(join(folder, 'builds'), 'utf8')).trimEnd().split('\n');
}
