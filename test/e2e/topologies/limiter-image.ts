/** The image of limiter.ts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../../src/local/run.ts';
import { loadImages } from '../../../tools/cluster/cluster.ts';
import { buildImage } from '../../../tools/cluster/engine.ts';
import type { ProvidedCluster } from '../global-setup.ts';
import { kindOf } from '../support/kind.ts';

const IMAGE = 'localhost/limiter-of-topologies:1';
const progress = (line: string): void => void process.stdout.write(`[e2e] ${line}\n`);

/** Builds it and loads it into the node. Returns its name. */
export async function provideLimiterImage(provided: ProvidedCluster): Promise<string> {
  const kind = kindOf(provided);
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-image-'));
  try {
    await build({
      entryPoints: [join(root, 'test/e2e/topologies/limiter.ts')],
      outfile: join(folder, 'limiter.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      // CommonJS dependencies load modules of Node by require.
      banner: {
        js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
      },
    });
    const dockerfile = `FROM ${provided.images.runtime}\nCOPY limiter.mjs /app/\nUSER 65532:65532\nCMD ["/app/limiter.mjs"]\n`;
    await writeFile(join(folder, 'Dockerfile'), dockerfile);
    await buildImage(kind.engine, IMAGE, {}, { progress, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await loadImages(kind, [IMAGE], { progress });
  return IMAGE;
}
