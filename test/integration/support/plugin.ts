/** Runs `kubectl chaosdemo` as its user does: a separate process, with a kubeconfig. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Outcome } from '../../kit/program.ts';
import type { World } from '../../kit/world.ts';

/** The program, run from its source. */
export const PLUGIN = fileURLToPath(new URL('../../../src/cli/plugin/main.ts', import.meta.url));

/** Each command loads the same modules: compiled once is enough. */
export const COMPILED = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/compile', import.meta.url)),
};

export interface PluginProcess {
  /** How it ended, and what it wrote. */
  readonly ended: Promise<Outcome>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command in the namespace of a world, as its admin. */
export function startPlugin(world: World, [command = '', ...args]: readonly string[]): PluginProcess {
  const child = spawn(process.execPath, [PLUGIN, command, '-n', world.namespace, ...args], {
    env: {
      ...process.env,
      ...COMPILED,
      KUBECONFIG: world.environment.controlPlane.kubeconfig,
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), status]).then(
    ([stdout, stderr, status]): Outcome => ({ stdout, stderr, status }),
  );
  return { ended, kill: (signal) => child.kill(signal) };
}
