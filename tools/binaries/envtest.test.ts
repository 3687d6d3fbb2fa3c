import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { temporaryFolder } from '../../packages/testbed/src/testing.fixture.ts';
import { output } from '../run.ts';
import { chooseArchive, downloadArchive, findArchive } from './envtest.ts';

const platform = 'linux-amd64';
const hash = 'ab'.repeat(64);

describe('chooseArchive', () => {
  const indexUrl = 'https://example.test/releases/index.yaml';
  const choose = (versions: string[], wanted = 'v1.36.3'): string | undefined =>
    chooseArchive(indexOf(versions), indexUrl, wanted, platform)?.version;

  it('without a pin, the newest release of that minor is used, no pre-release', () => {
    expect(choose(['v1.36.2', 'v1.36.10', 'v1.37.0', 'v1.36.11-rc.0', 'v1.3.99'])).toBe('v1.36.10');
    expect(choose(['v1.35.0', 'v1.37.0'])).toBeUndefined();
  });

  it('takes no archive of another platform', () => {
    const index = indexOf(['v1.36.3']);
    expect(chooseArchive(index, indexUrl, 'v1.36.3', 'darwin-arm64')).toBeUndefined();
  });

  it('resolves links of a mirror against its index', () => {
    const index = indexOf(['v1.36.3'], (file) => `../files/${file}`);
    expect(chooseArchive(index, indexUrl, 'v1.36.3', platform)).toEqual({
      version: 'v1.36.3',
      url: 'https://example.test/files/envtest-v1.36.3-linux-amd64.tar.gz',
      sha512: hash,
    });
  });

  it.each(['<html>404</html>', '', 'releases: [1]', 'releases: {v1: {a: {hash: 12, selfLink: x}}}', '{: :'])(
    'refuses %j as an index',
    (text) => {
      expect(() => chooseArchive(text, indexUrl, 'v1.36.3', platform)).toThrow('not an index');
    },
  );
});

describe('downloading', { timeout: 300_000 }, () => {
  it('unpacks the programs of an archive that has the digest of its index', async () => {
    const { indexUrl } = await serveRelease({ tamper: false });
    const folder = await temporaryFolder();
    const archive = await findArchive(indexUrl, 'v1.36.3', platform);
    await downloadArchive(archive, folder, () => {});
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver', 'kubectl']);
    expect(await readFile(join(folder, 'etcd'), 'utf8')).toBe('program etcd');
  });

  it('unpacks nothing of an archive that was tampered with', async () => {
    const { indexUrl } = await serveRelease({ tamper: true });
    const folder = await temporaryFolder();
    const archive = await findArchive(indexUrl, 'v1.36.3', platform);
    await expect(downloadArchive(archive, folder, () => {})).rejects.toMatchObject({
      code: 'DOWNLOAD_CORRUPT',
    });
    expect(await readdir(folder)).not.toContain('etcd');
  });
});

function indexOf(versions: string[], link = (file: string) => `https://example.test/${file}`): string {
  const releases = Object.fromEntries(
    versions.map((version) => {
      const file = `envtest-${version}-linux-amd64.tar.gz`;
      return [version, { [file]: { hash, selfLink: link(file) } }];
    }),
  );
  return stringify({ releases });
}

async function serveRelease({ tamper }: { tamper: boolean }): Promise<{ indexUrl: string }> {
  const folder = await temporaryFolder();
  const programs = join(folder, 'controller-tools', 'envtest');
  await mkdir(programs, { recursive: true });
  for (const name of ['etcd', 'kube-apiserver', 'kubectl'])
    await writeFile(join(programs, name), `program ${name}`);
  const file = 'envtest-v1.36.3-linux-amd64.tar.gz';
  await output('tar', ['-czf', join(folder, file), '-C', folder, 'controller-tools']);
  const archive = await readFile(join(folder, file));
  const sha512 = createHash('sha512').update(archive).digest('hex');
  const index = stringify({
    releases: { 'v1.36.3': { [file]: { hash: sha512, selfLink: `files/${file}` } } },
  });
  const url = await serve((request, response) => {
    if (request.url === '/index.yaml') response.end(index);
    else if (request.url === `/files/${file}`)
      response.end(tamper ? Buffer.concat([archive, Buffer.from('x')]) : archive);
    else response.writeHead(404).end();
  });
  return { indexUrl: `${url}/index.yaml` };
}

async function serve(listener: RequestListener, { closeAtOnce = false } = {}): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  if (closeAtOnce) await close();
  else onTestFinished(close);
  return `http://127.0.0.1:${port}`;
}
