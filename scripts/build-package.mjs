/**
 * `npm run build`, second part: the npm package `chaosdemo`. It holds the commands `chaosdemo` and `kubectl chaosdemo`,
 * needs nothing but Node 24, and names the licences of all that is bundled. It stays out of the image.
 */
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ownSettings } from '@chaosdemo/settings';
import { file } from '@chaosdemo/settings/values';
import { build } from 'esbuild';
import { writeBundled } from '../tools/release/bundled.ts';
import { slimDependencies } from './slim-dependencies.mjs';

const { outdir } = ownSettings({
  about: 'Usage: node scripts/build-package.mjs [--outdir FOLDER]\n\nBundles the npm package chaosdemo.',
  settings: {
    outdir: { ...file, fallback: 'dist/chaosdemo', help: 'Folder that takes the package; emptied first.' },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fileURLToPath(new URL(outdir, `file://${root}`));
const commands = { chaosdemo: 'chaosdemo.mjs', 'kubectl-chaosdemo': 'kubectl-chaosdemo.mjs' };

const shared = {
  absWorkingDir: root,
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
  metafile: true,
  logLevel: 'info',
};

await rm(folder, { recursive: true, force: true });
const built = [
  // One file, which can be installed without npm.
  await build({ ...shared, entryPoints: { 'kubectl-chaosdemo': 'src/cli/plugin/main.ts' } }),
  await build({
    ...shared,
    splitting: true,
    entryPoints: {
      chaosdemo: 'src/cli/chaosdemo.ts',
      // Processes that it starts.
      'fault-proxy': 'src/fault-proxy/main.ts',
      watchdog: 'packages/testbed/src/watchdog.ts',
    },
  }),
];
for (const command of Object.values(commands)) await chmod(`${folder}/${command}`, 0o755);
await copyFile(`${root}/LICENSE`, `${folder}/LICENSE`);
await writeBundled(root, folder, built);
const { description, license, version } = JSON.parse(await readFile(`${root}/package.json`, 'utf8'));
const manifest = {
  name: 'chaosdemo',
  version,
  description,
  license,
  type: 'module',
  engines: { node: '>=24' },
  bin: commands,
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
