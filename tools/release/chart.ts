/** The chart, whose values name the image of the release by its digest. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { root } from '../../src/local/root.ts';
import { ensureTool } from '../offline/programs.ts';
import { output } from '../run.ts';
import { assets, chartFile, dated, imageName, type Release } from './release.ts';

export async function buildChart(release: Release, digest: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-chart-'));
  try {
    await cp(join(root, 'helm/chaosdemo-operator'), folder, { recursive: true });
    const file = join(folder, 'values.yaml');
    const values = parseDocument(await readFile(file, 'utf8'));
    values.setIn(['image', 'repository'], imageName(release));
    values.setIn(['image', 'digest'], digest);
    await writeFile(file, values.toString({ flowCollectionPadding: false, lineWidth: 0 }));
    for (const entry of await readdir(folder, { recursive: true })) await dated(join(folder, entry), release);
    const helm = await ensureTool('helm', release);
    await output(helm, ['package', folder, '--destination', assets(release)], release);
    // helm push writes it into the manifest of the chart.
    await dated(join(assets(release), chartFile(release)), release);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
