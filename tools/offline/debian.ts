/** Packages of Debian, unpacked on their own or as a small Debian. */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findInPath, type StepOptions } from '@chaosdemo/testbed';
import { installPackages } from '../binaries/debian-packages.ts';
import { withHeartbeat } from '../binaries/progress.ts';
import { output } from '../run.ts';

const aptGetMs = 10 * 60_000;

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
  // Separate lists and archives: those of the machine stay as they are.
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
