#!/usr/bin/env node
/** The command `chaosdemo`: installs the packages if they are missing, and runs in the folder where it was called. */
process.argv.splice(2, 0, 'chaosdemo');
await import('../bootstrap.mjs');
