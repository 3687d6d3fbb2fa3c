/** Follows a run on a terminal: the rows of kubectl, and the story of its chapters. */
import { spawn } from 'node:child_process';
import { on } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { type ChaosDemo, type ChaosDemoStatus, GROUP, PLURAL, VERSION } from '../api/index.ts';
import { KubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import type { KubeObject } from '../kube/kube-types.ts';
import { Reflector } from '../kube/reflector.ts';
import { resourcePath } from '../kube/resource-path.ts';
import { Store } from '../kube/store.ts';
import type { Stage } from '../local/environment.ts';
import { countdownOf, storyOf } from './story.ts';

/** How far behind kubectl may be at the end. */
const LAST_ROW_MS = 2000;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface FollowOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Hears of every status. */
  readonly onStatus?: (status: ChaosDemoStatus) => void;
}

/**
 * Says rows, chapters and countdowns until the run has ended; returns the object
 * as it is then. @throws when it was deleted, or the reason of `signal`
 */
export async function follow(
  environment: Pick<Stage, 'controlPlane' | 'namespace'>,
  name: string,
  { say, signal, onStatus }: FollowOptions,
): Promise<ChaosDemo> {
  const { controlPlane, namespace } = environment;
  const { binary, env, kubeconfig } = controlPlane.kubectl;
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'get', 'chaosdemo', name, '-w'];
  say('');
  say(`$ kubectl -n ${namespace} get chaosdemo ${name} -w`);
  const rows = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let lastRow = '';
  const lines = createInterface({ input: rows.stdout }).on('line', (row) => {
    lastRow = row;
    say(row);
  });

  const client = new KubeClient(loadKubeConfig(kubeconfig));
  const stop = new AbortController();
  const store = new Store<ChaosDemo & KubeObject>(silent);
  const path = resourcePath({ group: GROUP, version: VERSION, plural: PLURAL }, { namespace });
  const reflector = new Reflector({
    client,
    path,
    store,
    logger: silent,
    fieldSelector: `metadata.name=${name}`,
  });
  const watching = reflector.run(AbortSignal.any([signal, stop.signal]));
  let current: ChaosDemo | undefined;
  let shown = '';
  const countdown = setInterval(() => {
    const line = current?.status && countdownOf(current.status, Date.now());
    if (line && line !== shown) say(line);
    shown = line ?? shown;
  }, 200);
  try {
    const ended = await new Promise<ChaosDemo>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
      store.subscribe(({ object, type }) => {
        if (type === 'deleted') return reject(new Error(`the ChaosDemo ${name} was deleted`));
        for (const line of storyOf(current?.status, object.status ?? {})) say(line);
        current = object;
        if (object.status) onStatus?.(object.status);
        const refused = object.status?.conditions?.find((condition) => condition.type === 'Stalled');
        if (refused && !object.status?.run) say(`   Refused (${refused.reason}): ${refused.message}`);
        if (object.status?.run?.verdict) resolve(object);
      });
    });
    const phase = ended.status?.phase ?? '';
    if (!lastRow.includes(phase)) await rowOf(phase, lines);
    return ended;
  } finally {
    clearInterval(countdown);
    stop.abort();
    await watching;
    await client.close();
    rows.kill();
  }
}

/** kubectl has a watch of its own, which may be a moment behind: its last row belongs before the verdict. */
async function rowOf(phase: string, lines: Interface): Promise<void> {
  const timeout = AbortSignal.timeout(LAST_ROW_MS);
  try {
    for await (const [row] of on(lines, 'line', { signal: timeout, close: ['close'] })) {
      if (String(row).includes(phase)) return;
    }
  } catch (error) {
    if (!timeout.aborted) throw error;
  }
}
