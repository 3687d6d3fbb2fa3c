/**
 * `npm run build`: bundles the two programs of the image, each into one file that
 * needs nothing but Node 24.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ownSettings } from '../src/settings/settings.ts';

ownSettings({
  about: 'Usage: npm run build\n\nBundles the two programs of the image into dist.',
  settings: {},
});

const root = fileURLToPath(new URL('..', import.meta.url));

// Bundles of an earlier build must not be taken for those of this one.
await rm(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { operator: 'src/operator/main.ts', limiter: 'src/limiter/main.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Stack traces name our own lines: the image turns source maps on.
  sourcemap: true,
  sourcesContent: false,
  // CommonJS dependencies ask for Node's own modules by require, which a module does not have.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
  },
  logLevel: 'info',
});
