/**
 * Leaves out of the bundles what the programs do not use of large dependencies, and
 * esbuild cannot leave out by itself. A part that an update has moved fails the build.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** What is used of undici by us and by client-node; its index loads all of it, fetch, mocks and caches included. */
const undici = `
const Dispatcher = require('./lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = require('./lib/api/api-request.js');
export const Agent = require('./lib/dispatcher/agent.js');
export const Client = require('./lib/dispatcher/client.js');
export const Pool = require('./lib/dispatcher/pool.js');
export const ProxyAgent = require('./lib/dispatcher/proxy-agent.js');
// Named by parts of client-node that are left out. It is not that of undici: no code of ours may use it.
export const { fetch } = globalThis;
`;

/** Says that a file maps to nothing but its own beginning: the map is for lines of our own. */
const noMap = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(
  JSON.stringify({ version: 3, sources: [''], mappings: 'AAAA' }),
).toString('base64')}\n`;

/** A plugin of esbuild. */
export const slimDependencies = {
  name: 'slim-dependencies',
  setup(build) {
    // The second parser of undici, an experiment: Node leaves it out by the same name.
    build.initialOptions.define = { ...build.initialOptions.define, esbuildDetection: 'true' };

    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'slim' }));
    build.onLoad({ filter: /.*/, namespace: 'slim' }, () => ({
      contents: undici,
      resolveDir: dirname(require.resolve('undici')),
    }));

    // An import reads each of its exports, and reading WebSocket loads Node's own undici; require reads none.
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'required' }, () => ({
      contents: "module.exports = require('node:http');",
    }));

    // Its modules only export, and do not say so: without this the classes of every kind of Kubernetes stay.
    build.onResolve({ filter: /^(@kubernetes\/client-node$|\.)/ }, async ({ path, pluginData, ...place }) => {
      const ofClient =
        path === '@kubernetes/client-node' || place.importer.includes('/@kubernetes/client-node/dist/');
      if (pluginData?.resolving || !ofClient) return undefined;
      const { importer, kind, namespace, resolveDir } = place;
      const resolved = await build.resolve(path, {
        importer,
        kind,
        namespace,
        resolveDir,
        pluginData: { resolving: true },
      });
      return resolved.path.includes('/@kubernetes/client-node/dist/')
        ? { path: resolved.path, sideEffects: false }
        : resolved;
    });

    build.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => {
      // Messages of zod in one language are enough.
      const contents = path.endsWith(join('/zod', 'v4', 'locales', 'index.js'))
        ? "export { default as en } from './en.js';"
        : await readFile(path, 'utf8');
      return { contents: contents.replaceAll(/^\/\/# sourceMappingURL=.*$/gm, '') + noMap, loader: 'js' };
    });
  },
};
