/** Packages of Debian: installed where this process may, or unpacked into a small Debian of their own. */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot, type StepOptions } from '../../src/local/binaries/cache.ts';
import { withLock } from '../../src/local/binaries/lock.ts';
import { withHeartbeat } from '../../src/local/binaries/progress.ts';
import { findInPath, output } from '../../src/local/run.ts';

/** What installPackages takes besides the packages. */
export interface InstallOptions extends StepOptions {
  /** Default: whether this process is root. */
  readonly root?: boolean;
  /** Where Debian asks whether a package may start its service. */
  readonly policyFile?: string;
}

const aptGetMs = 10 * 60_000;
const install = ['install', '--yes', '--no-install-recommends', '-o', 'APT::Keep-Downloaded-Packages=false'];

/** Why packages cannot be installed here; undefined where they can. */
export async function whyNotInstallable({ env, root }: InstallOptions): Promise<string | undefined> {
  if (!(await findInPath('apt-get', env))) return 'this system has no apt-get';
  return (root ?? process.getuid?.() === 0) ? undefined : 'only root may install Debian packages';
}

/** `apt-get update` and `install`; no service is started, and no archive kept. Throws COMMAND_FAILED with what apt-get said. */
export async function installPackages(
  packages: readonly string[],
  { env = process.env, progress, signal, policyFile = '/usr/sbin/policy-rc.d' }: InstallOptions,
): Promise<void> {
  const aptGet = (await findInPath('apt-get', env)) ?? 'apt-get';
  const run = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: aptGetMs, signal };
  const work = async (): Promise<void> => {
    for (const args of [['update'], [...install, ...packages]]) {
      const what = `apt-get ${args[0]}`;
      progress(what);
      await withHeartbeat(
        progress,
        () => what,
        () => output(aptGet, args, run),
      );
    }
  };
  // apt-get does not wait for another one that updates its lists, and the policy is one file for all.
  await withLock(
    join(cacheRoot(env), 'apt-get.lock'),
    () => progress('another run is installing packages: waiting for it'),
    async () => await withoutServiceStart(policyFile, work),
    undefined,
    signal,
  );
}

/** Debian starts the service of a package it installs unless this file says 101. What was there comes back. */
async function withoutServiceStart(policyFile: string, work: () => Promise<void>): Promise<void> {
  const aside = `${policyFile}.chaosdemo`;
  await rename(policyFile, aside).catch(() => {});
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n');
    await chmod(policyFile, 0o755);
    await work();
  } finally {
    await rm(policyFile, { force: true });
    await rename(aside, policyFile).catch(() => {});
  }
}

/**
 * Unpacks packages of another suite into `folder`, from where this Debian gets its own; they are not installed, and
 * what they depend on is not fetched. Throws COMMAND_FAILED with what apt-get said.
 */
export async function unpackPackages(
  { suite, packages }: { readonly suite: string; readonly packages: readonly string[] },
  folder: string,
  { env = process.env, signal }: StepOptions,
): Promise<void> {
  const run = { cwd: folder, env, timeoutMs: aptGetMs, signal };
  const uris = await output('apt-get', ['indextargets', '--format', '$(REPO_URI)'], run);
  const mirror = uris.split('\n').find((uri) => uri.endsWith('/debian/'));
  if (mirror === undefined) throw new Error('apt-get knows no mirror of Debian');
  // Lists and archives of its own: those of the machine stay as they are.
  const apt = join(folder, 'apt');
  for (const each of ['lists/partial', 'archives/partial']) await mkdir(join(apt, each), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(apt, 'status'), '');
  const settings = [
    `Dir::Etc::sourcelist=${apt}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    `Dir::State=${apt}`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}`,
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  await output('apt-get', [...settings, '--error-on=any', 'update'], run);
  await output('apt-get', [...settings, 'download', ...packages], run);
  const archives = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
  for (const archive of archives) {
    await output('dpkg-deb', ['--extract', archive, folder], run);
    await rm(join(folder, archive));
  }
  await rm(apt, { recursive: true });
}

const SUITE = 'bookworm';

/** What a node of kind needs of Debian: an init, the network tools of Kubernetes, runc and CNI plugins. */
const nodePackages = [
  'systemd',
  'conntrack',
  'iptables',
  'nftables',
  'iproute2',
  'ethtool',
  'kmod',
  'libseccomp2',
  'ca-certificates',
  'jq',
  'procps',
  'runc',
  'containernetworking-plugins',
].join();

/** What no container needs, and what was only needed to make the tree. */
const waste = ['doc', 'man', 'locale', 'info']
  .map((name) => `usr/share/${name}`)
  .concat('var/cache/apt', 'var/lib/apt/lists', 'debootstrap');

/** Has debootstrap make a small Debian in `tree`; half a minute. */
export async function makeDebian(tree: string, options: StepOptions): Promise<void> {
  const { progress, signal } = options;
  // debootstrap and chroot stand where only root's PATH looks.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  if (!(await findInPath('debootstrap', env))) {
    progress('debootstrap is not there. Next: installing the Debian package');
    await installPackages(['debootstrap'], options);
  }
  await withHeartbeat(
    progress,
    () => 'debootstrap makes a small Debian for the node image',
    () =>
      output('debootstrap', ['--variant=minbase', `--include=${nodePackages}`, SUITE, tree], { env, signal }),
  );
  for (const folder of waste) await rm(join(tree, folder), { recursive: true, force: true });
}
