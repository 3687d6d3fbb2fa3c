/**
 * Removes the cluster of the end-to-end tests when the pipe to its standard input closes, for
 * whatever reason: the tests are over, were interrupted, or were killed. Started by global-setup.ts.
 *
 * Arguments: kind, the engine, the cluster's name, a network to remove as well ('' for none), a folder.
 */

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from '@chaosdemo/testbed';
import { kubeconfigOf } from '../../../tools/cluster/cluster.ts';

const [kind = '', engine = '', name = '', network = '', folder = ''] = process.argv.slice(2);
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('close', resolve));
// A kind that was making the cluster may still be at it: it fails once its node is gone.
for (let quiet = 0; quiet < 2; ) {
  await attempt(kind, ['delete', 'cluster', '--name', name, '--kubeconfig', `${folder}/kubeconfig`]);
  const { stdout } = await attempt(kind, ['get', 'clusters']);
  quiet = stdout.split('\n').includes(name) ? 0 : quiet + 1;
  if (quiet < 2) await sleep(1_000);
}
if (network) await attempt(engine, ['network', 'rm', network]);
rmSync(folder, { recursive: true, force: true });
rmSync(kubeconfigOf(name), { force: true });
