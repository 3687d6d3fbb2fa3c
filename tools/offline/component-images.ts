/** The images of Kubernetes itself, named as kubeadm requires. */

import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, saveImages } from '../cluster/engine.ts';
import { output } from '../run.ts';
import { copyPrograms, importFolder } from './folder-image.ts';

/** Where the programs are. */
export interface Programs {
  /** etcd, kube-apiserver, kubectl. */
  readonly controlPlane: string;
  /** The rest of Kubernetes, containerd, CoreDNS, pause. */
  readonly node: string;
}

const libraries = `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

/**
 * Writes them into an archive that containerd takes. `tree` is a Debian with iptables.
 * Returns the name of the pause image.
 */
export async function writeComponentImages(
  engine: Engine,
  programs: Programs,
  tree: string,
  workFolder: string,
  archive: string,
): Promise<string> {
  const list = ['config', 'images', 'list', '--kubernetes-version', await version(programs)];
  const names = (await output(join(programs.node, 'kubeadm'), list)).trim().split('\n');
  for (const name of names) await makeOne(engine, name, programs, tree, workFolder);
  await saveImages(engine, names, archive);
  await output(engine.name, ['rmi', ...names], { env: engine.env });
  const pause = names.find((name) => component(name) === 'pause');
  if (!pause) throw new Error(`kubeadm names no pause image: ${names.join(' ')}`);
  return pause;
}

/** What the programs say they are: `v1.36.3`. */
export async function version({ node }: Programs): Promise<string> {
  return (await output(join(node, 'kubeadm'), ['version', '-o', 'short'])).trim();
}

async function makeOne(
  engine: Engine,
  image: string,
  programs: Programs,
  tree: string,
  workFolder: string,
): Promise<void> {
  const name = component(image);
  const folder = join(workFolder, name);
  const bin = join(folder, 'usr/local/bin');
  await mkdir(bin, { recursive: true });
  await mkdir(join(folder, 'tmp'));
  const source = name === 'etcd' || name === 'kube-apiserver' ? programs.controlPlane : programs.node;
  await cp(join(source, name), join(bin, name));
  if (name === 'kube-proxy') await addNetworkTools(tree, folder);
  const path = `/usr/local/bin/${name}`;
  await importFolder(engine, folder, image, [`ENTRYPOINT ["${path}"]`]);
}

/** `registry.k8s.io/coredns/coredns:v1.14.2` is `coredns`. */
function component(image: string): string {
  return image.replace(/:[^:]*$/, '').replace(/^.*\//, '');
}

/** kube-proxy runs iptables, nft and conntrack; the matches of iptables are separate libraries. */
async function addNetworkTools(tree: string, folder: string): Promise<void> {
  const matches = await readdir(join(tree, libraries, 'xtables'));
  await copyPrograms(
    tree,
    [
      ...['xtables-nft-multi', 'nft', 'conntrack'].map((name) => `/usr/sbin/${name}`),
      ...matches.map((name) => `/${libraries}/xtables/${name}`),
    ],
    folder,
  );
  for (const family of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore']) {
      await symlink('xtables-nft-multi', join(folder, 'usr/sbin', `${family}${suffix}`));
    }
  }
}
