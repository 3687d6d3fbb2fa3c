#!/usr/bin/env node
/** `npx chaosdemo` in this repository: hands over to the project's own Node 24, whatever Node npm runs on. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { status, error } = spawnSync(
  inRoot('node_modules/node/bin/node'),
  [inRoot('src/cli/chaosdemo.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
if (error) process.stderr.write(`The packages are not installed: run npm ci first (${error.message})\n`);
process.exit(status ?? 1);
