/** Pushes image and chart, and signs them and the checksums. */
import { join } from 'node:path';
import { ensureTool } from '../offline/programs.ts';
import { output } from '../run.ts';
import { CHECKSUMS } from './checksums.ts';
import { assets, chartFile, chartsName, imageName, type Release } from './release.ts';

/**
 * Signs with the identity of the workflow that runs this, by Sigstore. With `key`, a file of cosign, signs with that
 * key, and leaves out the transparency log.
 */
export async function publish(release: Release, key?: string): Promise<void> {
  const { progress, version } = release;
  const crane = await ensureTool('crane', release);
  const helm = await ensureTool('helm', release);
  const cosign = await ensureTool('cosign', release);
  const image = `${imageName(release)}:${version}`;
  const charts = chartsName(release);
  progress(`pushing ${image} and ${charts}/chaosdemo-operator:${version}`);
  await output(crane, ['push', '--index', join(release.out, 'image'), image], release);
  const plain = release.registry.startsWith('localhost:') ? ['--plain-http'] : [];
  await output(
    helm,
    ['push', join(assets(release), chartFile(release)), `oci://${charts}`, ...plain],
    release,
  );

  const how = key ? ['--key', key, '--use-signing-config=false', '--tlog-upload=false'] : [];
  const env = { ...process.env, COSIGN_PASSWORD: '' };
  const sign = async (verb: string, ...args: string[]) =>
    await output(cosign, [verb, ...how, '--yes', ...args], { ...release, env });
  for (const name of [imageName(release), `${charts}/chaosdemo-operator`]) {
    const digest = (await output(crane, ['digest', `${name}:${version}`], release)).trim();
    progress(`signing ${name}@${digest}`);
    await sign('sign', `${name}@${digest}`);
    if (name !== imageName(release)) continue;
    for (const [type, extension] of [
      ['cyclonedx', 'cdx'],
      ['spdxjson', 'spdx'],
    ] as const) {
      const sbom = join(assets(release), `chaosdemo-operator.${extension}.json`);
      await sign('attest', '--type', type, '--predicate', sbom, `${name}@${digest}`);
    }
  }
  const checksums = join(assets(release), CHECKSUMS);
  await sign('sign-blob', '--bundle', `${checksums}.sigstore.json`, checksums);
}
