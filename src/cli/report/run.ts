/** The reports of a run on this machine, for `npm run demo`. */
import type { ChaosDemo } from '../../api/index.ts';
import { KubeClient } from '../../kube/client.ts';
import { loadKubeConfig } from '../../kube/kube-config.ts';
import { readSource } from './read.ts';
import { reportOf } from './report.ts';
import { writeAll } from './write.ts';

/** Writes all formats into a folder. @returns their paths; none where no run has ended */
export async function reportOnRun(
  { kubeconfig }: { readonly kubeconfig: string },
  demo: ChaosDemo,
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const client = new KubeClient(loadKubeConfig(kubeconfig));
  try {
    const report = reportOf(await readSource(client, demo, signal));
    return report ? await writeAll(report, folder) : [];
  } finally {
    await client.close();
  }
}
