/**
 * Builds the programs that later stages of `.ci/run` need, one after the other, with the processor time
 * that the tests before them leave over. A stage that comes to its program earlier waits for it. What
 * cannot be built is left to the stage, which says why.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTool } from '../tools/offline/programs.ts';

/** In the order in which they are needed. */
const TOOLS = [
  'kind',
  'helm',
  'kustomize',
  'kubeconform',
  'kube-score',
  'promtool',
  'kstatus',
  'actionlint',
  'source-controller',
  'kustomize-controller',
  'argocd',
];

const folder = mkdtempSync(join(tmpdir(), 'chaosdemo-ahead-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Linux may share processors among sessions before it looks at priorities, and every build is a session.
const path = process.env.PATH ?? '';
const go = join(folder, 'go');
writeFileSync(
  go,
  `#!/bin/sh
{ echo 19 >/proc/self/autogroup; } 2>/dev/null
PATH='${path.replaceAll("'", `'\\''`)}'
exec nice -n 19 go "$@"
`,
);
chmodSync(go, 0o755);
const env = { ...process.env, PATH: `${folder}:${path}` };

for (const name of TOOLS) {
  const start = performance.now();
  try {
    await ensureTool(name, { env, progress: () => {} });
    console.log(`${name} is there after ${Math.round((performance.now() - start) / 1000)} s`);
  } catch (error) {
    console.log(`${name} could not be built ahead: ${String(error)}`);
  }
}
