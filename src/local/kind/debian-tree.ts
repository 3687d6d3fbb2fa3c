/** A small Debian in a folder, kept outside the clone: what node images are made from. */
import { createHash } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot, placeAtomically } from '../binaries/cache.ts';
import { findInPath, installDebianPackages } from '../binaries/debian-packages.ts';
import { withHeartbeat } from '../binaries/progress.ts';
import { output } from './command.ts';
import type { StepOptions } from './engine.ts';

const SUITE = 'bookworm';

/** What a node of kind needs of Debian: an init, the network tools of Kubernetes, runc and CNI plugins. */
const packages = [
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
];

/** The folder; half a minute when it has to be made. Read only: it is shared by all node images. */
export async function ensureDebianTree({ progress, signal }: StepOptions): Promise<string> {
  const wanted = createHash('sha256').update(packages.join()).digest('hex').slice(0, 8);
  const folder = join(cacheRoot(process.env), 'kind', `debian-${SUITE}-${wanted}`);
  const made = await access(folder).then(
    () => true,
    () => false,
  );
  if (made) return folder;
  if (!(await findInPath('debootstrap', withSystemPath()))) {
    progress('debootstrap is not there. Next: installing the Debian package');
    await installDebianPackages(['debootstrap'], { progress, ...(signal ? { signal } : {}) });
  }
  await placeAtomically(folder, async (partial) => {
    const args = ['--variant=minbase', `--include=${packages.join(',')}`, SUITE, partial];
    await withHeartbeat(
      progress,
      () => 'debootstrap makes a small Debian for the node image',
      () => output('debootstrap', args, { env: withSystemPath(), ...(signal ? { signal } : {}) }),
    );
    for (const waste of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info']) {
      await rm(join(partial, waste), { recursive: true, force: true });
    }
    for (const waste of ['var/cache/apt', 'var/lib/apt/lists', 'debootstrap']) {
      await rm(join(partial, waste), { recursive: true, force: true });
    }
  });
  return folder;
}

/** debootstrap and chroot stand where only root's PATH looks. */
function withSystemPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}
