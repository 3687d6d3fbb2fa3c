import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolders } from '@chaosdemo/testbed';
import { describe, expect, it } from 'vitest';
import { program, programs } from '../../packages/testbed/src/binaries/programs.fixture.ts';
import { temporaryFolder } from '../../packages/testbed/src/testing.fixture.ts';
import { ensureControlPlaneBinaries } from './control-plane.ts';

// A separate home and PATH, so that neither the real cache nor a real Go is met: the Go here is too old.
const isolated = async (): Promise<{ home: string; env: NodeJS.ProcessEnv }> => {
  const [home, PATH] = [await temporaryFolder(), await programs({ go: 'echo go1.20.1' })];
  return { home, env: { HOME: home, PATH, CHAOSDEMO_ENVTEST_INDEX: 'off' } };
};

describe('ensureControlPlaneBinaries', { timeout: 300_000 }, () => {
  it('takes KUBEBUILDER_ASSETS first', async () => {
    const { home, env } = await isolated();
    const assets = await controlPlane(join(home, 'assets'), 'v1.35.0');
    const found = await ensureControlPlaneBinaries({
      env: { ...env, KUBEBUILDER_ASSETS: assets },
      progress: () => {},
    });
    expect(found).toMatchObject({ folder: assets, kubernetesVersion: 'v1.35.0' });
  });

  it('does not use a cached folder whose programs do not run', async () => {
    const { env } = await isolated();
    const cached = await controlPlane((await cachedFolders(env)).built, 'v1.36.3');
    await rm(join(cached, 'kubectl'));
    const lines: string[] = [];
    const ensuring = ensureControlPlaneBinaries({ env, progress: (line) => lines.push(line) });
    await expect(ensuring).rejects.toMatchObject({ code: 'BINARIES_UNAVAILABLE' });
    expect(lines[0]).toContain(`${cached} cannot be used`);
  });

  it('with no control plane, the error has the reason of each step; the cache stays', async () => {
    const { home, env } = await isolated();
    const ensuring = ensureControlPlaneBinaries({ env, progress: () => {} });
    await expect(ensuring).rejects.toMatchObject({
      code: 'BINARIES_UNAVAILABLE',
      message: expect.stringMatching(/CHAOSDEMO_ENVTEST_INDEX is off[^]*build: .*does not print its version/),
    });
    expect(await readdir(join(home, '.cache', 'chaosdemo', 'control-plane'))).toEqual([]);
  });
});

it('a build of the pins comes before a download for them', async () => {
  const { env } = await isolated();
  const { built, downloaded } = await cachedFolders(env);
  await controlPlane(downloaded, 'v1.36.2');
  const ensure = async (): Promise<string> =>
    (await ensureControlPlaneBinaries({ env, progress: () => {} })).folder;
  expect(await ensure()).toBe(downloaded);
  await controlPlane(built, 'v1.36.3');
  expect(await ensure()).toBe(built);
});

async function controlPlane(folder: string, version: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await program(folder, 'etcd', 'echo "etcd Version: 3.6.13"');
  await program(folder, 'kube-apiserver', `echo "Kubernetes ${version}"`);
  await program(folder, 'kubectl', `echo "Client Version: ${version}"`);
  return folder;
}
