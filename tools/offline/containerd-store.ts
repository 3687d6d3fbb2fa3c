/** Puts images into the store of a containerd that does not run yet: that of a node image. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, Supervisor } from '@chaosdemo/testbed';
import { output } from '../run.ts';

const readyMs = 60_000;

/** Runs containerd for a moment on the store in `tree` and imports `archive` there. */
export async function preload(
  programs: string,
  tree: string,
  archive: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const supervisor = new Supervisor();
  try {
    const folder = supervisor.temporaryFolder('containerd');
    const socket = join(folder, 'containerd.sock');
    await mkdir(join(folder, 'state'));
    const config = [
      'version = 3',
      `root = "${tree}/var/lib/containerd"`,
      `state = "${folder}/state"`,
      // Pods are none of its business here.
      'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]',
      `[grpc]\n  address = "${socket}"`,
      `[ttrpc]\n  address = "${folder}/ttrpc.sock"`,
    ];
    await writeFile(join(folder, 'config.toml'), `${config.join('\n')}\n`);
    const containerd = await supervisor.start({
      name: 'containerd',
      command: join(programs, 'containerd'),
      args: ['--config', join(folder, 'config.toml')],
      logFile: join(folder, 'containerd.log'),
    });
    const ctr = join(programs, 'ctr');
    await containerd.untilReady(
      async () => (await attempt(ctr, ['-a', socket, 'version'])).ok,
      readyMs,
      signal,
    );
    // Pinned: the kubelet would remove them to make room, and they cannot be pulled again.
    const how = ['--no-unpack', '--digests', '--label=io.cri-containerd.pinned=pinned'];
    await output(ctr, ['-a', socket, '-n', 'k8s.io', 'images', 'import', ...how, archive]);
  } finally {
    await supervisor.close();
  }
}
