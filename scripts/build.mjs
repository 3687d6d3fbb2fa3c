/**
 * `npm run build`, first part: bundles the two programs of the image, each into one file that
 * needs nothing but Node 24. `--outdir` puts them elsewhere than into dist.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { file } from '../src/settings/kinds.ts';
import { ownSettings } from '../src/settings/settings.ts';
import { slimDependencies } from './slim-dependencies.mjs';

const { outdir } = ownSettings({
  about: 'Usage: node scripts/build.mjs [--outdir FOLDER]\n\nBundles the two programs of the image.',
  settings: {
    outdir: {
      ...file,
      flag: 'outdir',
      fallback: 'dist',
      help: 'Folder that takes the bundles; emptied first.',
    },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));

// Bundles of an earlier build must not be taken for those of this one.
await rm(`${root}/${outdir}`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { operator: 'src/operator/main.ts', limiter: 'src/limiter/main.ts' },
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  plugins: [slimDependencies],
  // The text of a bundle stays in memory as long as it runs. Names stay as they are: stack traces show them.
  minifyWhitespace: true,
  minifySyntax: true,
  // Node is not told to read the map, which costs memory from the start on; stack-lines.mjs does when need be.
  sourcemap: 'external',
  sourcesContent: false,
  inject: ['scripts/stack-lines.mjs'],
  // CommonJS dependencies ask for Node's own modules by require, which a module does not have.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
  },
  logLevel: 'info',
});
