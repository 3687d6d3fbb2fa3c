/** An image of the local model: its server in one file, the weights, and what loads them, on what runs Node. */

import { cp, link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { cacheRoot, type StepOptions } from '@chaosdemo/testbed';
import { build } from 'esbuild';
import { root } from '../../src/local/root.ts';
import { buildImage, type Engine } from '../cluster/engine.ts';
import { ensureModelFiles } from './files.ts';
import { LOCAL_MODEL_PORT } from './local.ts';

/**
 * Builds it, 340 MB, with the name that manifests/model has for it, and returns that.
 * @param runtime an image whose entrypoint is Node 24
 * @throws ToolError MODEL_MISSING, COMMAND_FAILED
 */
export async function buildModelImage(
  engine: Engine,
  runtime: string,
  options: StepOptions,
): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const image = `chaosdemo.dev/chaosdemo-model:${version}`;
  const { library, weights } = await ensureModelFiles(options);
  // Where the weights are, so that a link does for a copy of 93 MB.
  const folder = await mkdtemp(join(cacheRoot(), 'model', 'image-'));
  try {
    await build({
      absWorkingDir: root,
      entryPoints: { model: 'tools/model/main.ts' },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      // Nothing is fetched where all of it is there.
      external: ['./files.ts'],
      banner: {
        js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
      },
      logLevel: 'warning',
    });
    await link(weights, join(folder, 'weights.gguf'));
    const modules = resolve(dirname(library), '../..');
    await cp(modules, join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    await writeFile(join(folder, 'Dockerfile'), dockerfile(runtime, version));
    await buildImage(engine, image, {}, { ...options, folder });
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function dockerfile(runtime: string, version: string): string {
  const command = [
    '/app/model.mjs',
    '--host=0.0.0.0',
    `--port=${LOCAL_MODEL_PORT}`,
    '--weights=/app/weights.gguf',
    '--library=/app/node_modules/node-llama-cpp/dist/index.js',
  ];
  return `FROM ${runtime}
LABEL org.opencontainers.image.title="chaosdemo-model" org.opencontainers.image.version="${version}"
WORKDIR /app
COPY LICENSE weights.gguf ./
COPY node_modules node_modules
COPY model.mjs ./
USER 65532:65532
CMD ${JSON.stringify(command)}
`;
}
