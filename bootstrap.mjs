/**
 * What `npm run demo`, `npm test` and the scripts beside them start (`install` only installs): plain
 * JavaScript that any Node from 20 on runs before a single package is installed. It installs the packages,
 * then hands over to the project's own Node 24, passing on arguments, signals
 * and the exit status.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const oldestNode = 20;
const projectNode = 24;

const entries = {
  chaosdemo: ['src/cli/chaosdemo.ts'],
  demo: ['tools/demo/main.ts'],
  kind: ['tools/cluster/main.ts'],
  model: ['tools/model/main.ts'],
  'model:image': ['tools/model/image-main.ts'],
  bench: ['bench/main.ts'],
  'bench:diagnosis': ['bench/diagnosis/main.ts'],
  corpus: ['corpus/main.ts'],
  fuzz: ['test/fuzz/main.ts'],
  endurance: ['test/endurance/main.ts'],
  'check:manifests': ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/manifests/vitest.config.ts'],
  'test:gitops': ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/gitops/vitest.config.ts'],
  'test:redis': [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/integration/redis-as-people-run-it/vitest.config.ts',
  ],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  'test:nightly': ['node_modules/vitest/vitest.mjs', 'run', '--mode', 'nightly'],
  'test:quick': ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'],
  'test:e2e': ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/e2e/vitest.config.ts'],
  torture: ['test/torture/main.ts'],
  mutation: ['tools/mutation/main.ts'],
  pictures: ['tools/pictures/main.ts'],
  release: ['tools/release/main.ts'],
  'redis-users': ['scripts/redis-users.mjs'],
  survey: ['survey/survey.ts'],
  'survey:check': ['survey/check.ts'],
  install: [],
};

const [name, ...args] = process.argv.slice(2);
const entry = entries[name];
if (!entry) {
  const asked = name === '--help' || name === '-h';
  const usage = `Usage: node bootstrap.mjs ${Object.keys(entries).join('|')} [arguments]\n`;
  process[asked ? 'stdout' : 'stderr'].write(usage);
  process.exit(asked ? 0 : 64);
}

if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  fail(
    `Node ${process.versions.node} is too old: ${oldestNode} or later is needed.`,
    'Install one from https://nodejs.org and run the same command again.',
  );
}

const stale = whyPackagesAreStale();
if (stale) await installPackages(stale);
const node = findProjectNode();
if (name === 'install') process.exit(0);
// The files and commands in its arguments are of the folder where it was called.
const cwd = name === 'chaosdemo' ? process.cwd() : root;
process.exit(await handOver(node, [join(root, entry[0]), ...entry.slice(1), ...args], cwd));

/** Why node_modules is not what package-lock.json asks for; undefined when it is. */
function whyPackagesAreStale() {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  // npm writes this file last, so an installation that was cut short has none.
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'no packages are installed yet';
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  for (const [path, { version, optional, peer }] of Object.entries(wanted)) {
    const found = installed[path];
    // Optional packages are left out where they do not fit the machine.
    if (path === '' || (!found && (optional || peer))) continue;
    if (found?.version !== version) {
      const what = path.replace(/^node_modules\//, '');
      return `package-lock.json has ${what} ${version}, and ${found?.version ?? 'none'} is installed`;
    }
  }
  return undefined;
}

async function installPackages(why) {
  say(`installing packages with npm ci: ${why}. They take about 850 MB, and half a minute to a few minutes`);
  const start = Date.now();
  const heartbeat = setInterval(
    () => say(`still installing packages, ${Math.round((Date.now() - start) / 1000)} s`),
    10_000,
  );
  // Under `npm run` that very npm is used again; it may not be the one in PATH.
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  // Errors only: npm may run on an older Node, and would warn of every package that needs the Node 24 among them.
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  // The output of npm goes to stderr, since stdout may be a pipe that expects the output of the command.
  const status = await run([...npm, 'ci', ...flags], process.env, ['inherit', 2, 2]);
  clearInterval(heartbeat);
  if (status !== 0) {
    fail(
      `npm ci ended with status ${status}; see its output above.`,
      'Usual causes: no way to the package registry (npm ping), a full disk, or a folder that is not yours.',
    );
  }
  say(`packages installed in ${Math.round((Date.now() - start) / 1000)} s`);
}

/** The project's own Node 24; else the Node that runs this, when it is new enough. */
function findProjectNode() {
  const own = join(root, 'node_modules', '.bin', 'node');
  const answer = spawnSync(own, ['--version'], { encoding: 'utf8' });
  if (answer.stdout?.startsWith(`v${projectNode}.`)) return own;
  if (Number(process.versions.node.split('.')[0]) >= projectNode) return process.execPath;
  const found = answer.error ? `does not run (${answer.error.code})` : `is ${answer.stdout.trim()}`;
  return fail(
    `Node ${projectNode} is needed, and ${own} ${found}.`,
    'The install script of the package node puts it there. If npm runs no install scripts, allow this one:',
    'npm rebuild node --ignore-scripts=false. Or run the same command with another Node 24.',
  );
}

async function handOver(node, nodeArgs, cwd) {
  const follow = new URL('tools/follow-parent.mjs', import.meta.url).href;
  const env = { ...process.env, CHAOSDEMO_PARENT_PID: String(process.pid) };
  // Programs that are started further down must find Node 24 as well.
  env.PATH = `${join(root, 'node_modules', '.bin')}:${env.PATH ?? ''}`;
  // Several processes load the same thousand modules: compiled once is enough.
  env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compile');
  return await run([node, `--import=${follow}`, ...nodeArgs], env, 'inherit', cwd);
}

/**
 * Runs a command in a session of its own and resolves with its exit status.
 * A Ctrl-C reaches this process up to twice, from the terminal and from npm, and
 * the command not at all: it gets each signal from here, once.
 */
function run([command, ...commandArgs], env, stdio = 'inherit', cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArgs, { cwd, stdio, detached: true, env });
    const lastSent = new Map();
    const forward = (signal) => {
      const now = Date.now();
      if (now - (lastSent.get(signal) ?? 0) < 500) return;
      lastSent.set(signal, now);
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    for (const signal of signals) process.on(signal, forward);
    // The terminal tells its new size to its own session alone.
    const resized = () => child.kill('SIGWINCH');
    process.on('SIGWINCH', resized);
    // npm may be killed without a word; its child then has another parent.
    const parent = process.ppid;
    const orphaned = setInterval(() => {
      if (process.env.npm_lifecycle_event && process.ppid !== parent) forward('SIGTERM');
    }, 500);
    child.on('error', (error) => fail(`${command} cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      clearInterval(orphaned);
      for (const each of signals) process.off(each, forward);
      process.off('SIGWINCH', resized);
      resolve(code ?? 128 + signalNumber(signal));
    });
  });
}

function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0;
}

function say(line) {
  process.stderr.write(`[bootstrap] ${line}\n`);
}

function fail(...lines) {
  for (const line of lines) say(line);
  process.exit(1);
}
