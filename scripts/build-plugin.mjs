/**
 * `npm run build`, second part: bundles `kubectl chaosdemo` and `chaosdemo` into one file each, which need nothing but
 * Node 24, and makes the npm package around them. It stays out of the image, which holds the programs of build.mjs alone.
 */
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ownSettings } from '@chaosdemo/settings';
import { file } from '@chaosdemo/settings/values';
import { build } from 'esbuild';
import { slimDependencies } from './slim-dependencies.mjs';

const { outdir } = ownSettings({
  about: 'Usage: node scripts/build-plugin.mjs [--outdir FOLDER]\n\nBundles kubectl chaosdemo.',
  settings: {
    outdir: {
      ...file,
      fallback: 'dist/kubectl-chaosdemo',
      help: 'Folder that takes the package; emptied first.',
    },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fileURLToPath(new URL(outdir, `file://${root}`));
const program = 'kubectl-chaosdemo.mjs';
const checker = 'chaosdemo.mjs';

await rm(folder, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { 'kubectl-chaosdemo': 'src/cli/plugin/main.ts', chaosdemo: 'src/cli/chaosdemo-anywhere.ts' },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  plugins: [slimDependencies, withoutDevtools()],
  // React's build for development is several times as large, and slower.
  define: { 'process.env.NODE_ENV': '"production"' },
  minifyWhitespace: true,
  minifySyntax: true,
  banner: {
    js: [
      '#!/usr/bin/env node',
      "import { createRequire as createRequireOfBundle } from 'node:module';",
      'const require = createRequireOfBundle(import.meta.url);',
    ].join('\n'),
  },
  logLevel: 'info',
});
for (const file of [program, checker]) await chmod(`${folder}/${file}`, 0o755);
await copyFile(`${root}/LICENSE`, `${folder}/LICENSE`);
const { description, license, version } = JSON.parse(await readFile(`${root}/package.json`, 'utf8'));
const manifest = {
  name: 'kubectl-chaosdemo',
  version,
  description: `kubectl chaosdemo, for: ${description}`,
  license,
  type: 'module',
  engines: { node: '>=24' },
  bin: {
    'kubectl-chaosdemo': program,
    chaosdemo: checker,
  },
};
await writeFile(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);

/** Ink loads React's devtools where they are installed; in a bundle they never are. */
function withoutDevtools() {
  return {
    name: 'without-devtools',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'none' }));
      onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export default {};' }));
    },
  };
}
