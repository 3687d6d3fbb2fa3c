/**
 * `npm run build`, first part: bundles the programs of the image, each into one file that
 * needs nothing but Node 24, and beside them what the operator loads only where a model is asked. `--outdir` puts
 * them elsewhere than into dist/image.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ownSettings } from '@chaosdemo/settings';
import { file } from '@chaosdemo/settings/values';
import { build } from 'esbuild';
import { writeBundled } from '../tools/release/bundled.ts';
import { slimDependencies } from './slim-dependencies.mjs';

const { outdir } = ownSettings({
  about: 'Usage: node scripts/build.mjs [--outdir FOLDER]\n\nBundles the programs of the image.',
  settings: {
    outdir: {
      ...file,
      fallback: 'dist/image',
      help: 'Folder that takes the bundles; emptied first.',
    },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fileURLToPath(new URL(outdir, `file://${root}`));

/** What knows models is apart from the operator, which loads it where profiles are configured. */
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/diagnosis\/models\/index\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './models.mjs', external: true } : undefined,
    );
  },
};

const shared = {
  absWorkingDir: root,
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  plugins: [slimDependencies],
  // The text of a bundle stays in memory as long as it runs. Names stay as they are: stack traces show them.
  minifyWhitespace: true,
  minifySyntax: true,
  // A name with an umlaut in one of them would make the text of the whole bundle take two bytes a character.
  legalComments: 'external',
  // Node is not told to read the map, which costs memory from the start on; stack-lines.mjs does when need be.
  sourcemap: 'external',
  sourcesContent: false,
  // CommonJS dependencies ask for Node's own modules by require, which a module does not have.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
  },
  metafile: true,
  logLevel: 'info',
};

// Bundles of an earlier build must not be taken for those of this one.
await rm(folder, { recursive: true, force: true });
const built = [
  await build({
    ...shared,
    entryPoints: {
      operator: 'src/operator/main.ts',
      cell: 'src/operator/cells/cell.ts',
      limiter: 'packages/limiter/src/main.ts',
      'fault-proxy': 'src/fault-proxy/main.ts',
    },
    plugins: [apart, slimDependencies],
    inject: ['scripts/stack-lines.mjs'],
  }),
  // Split, so that the SDK is a file of its own, loaded with the first question. Without stack lines: there is one way
  // to show traces in a process, that of the operator.
  await build({ ...shared, entryPoints: { models: 'src/diagnosis/models/index.ts' }, splitting: true }),
];
await writeBundled(root, folder, built);
