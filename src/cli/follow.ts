/** Follows the run of `npm run demo`: in the live view, or line by line with the rows of kubectl. */
import { spawn } from 'node:child_process';
import { on } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import type { Stage } from '../local/environment.ts';
import { annotate } from './plugin/demos.ts';
import { Waiter } from './plugin/run-state.ts';
import { readDiagnoses } from './report/read.ts';
import type { ReportSource } from './report/report.ts';
import { listenToKeys, waitingOf } from './stepper.ts';
import { screenDisplay } from './view/screen.ts';
import { type Display, plainDisplay, showLive } from './view/session.ts';
import type { LiveState } from './view/state.ts';
import { watchView } from './view/watch-view.ts';

/** How far kubectl may lag behind at the end. */
const LAST_ROW_MS = 2000;

export interface FollowOptions {
  readonly name: string;
  readonly print: (line: string) => void;
  /** Whether space or enter advances to the next chapter. */
  readonly isManual: boolean;
  readonly signal: AbortSignal;
}

/** A way to show a run, with the parts of the session that it needs. */
type Show = (
  options: FollowOptions,
  stage: Pick<Stage, 'controlPlane' | 'namespace'>,
  steering: {
    /** Advances to the next chapter if the run waits for that. */
    readonly advance: (state: LiveState | undefined) => void;
    readonly fail: (error: Error) => void;
  },
) => Promise<Display>;

/**
 * Shows the run until it has ended; returns the final object, with the evidence if there is a diagnosis.
 * @throws if it was deleted or is not accepted for 20 s, an annotation could not be written, the keyboard has ended, or the reason of `signal`
 */
export async function follow(
  stage: Pick<Stage, 'controlPlane' | 'namespace'>,
  options: FollowOptions,
  show: Show,
): Promise<ReportSource> {
  const { controlPlane, namespace } = stage;
  const { name, signal } = options;
  const client = new KubeClient(loadKubeConfig(controlPlane.kubectl.kubeconfig));
  const failed = new AbortController();
  const waiter = new Waiter();
  const advance = (state: LiveState | undefined): void => {
    const waiting = waitingOf(state?.demo?.status ?? {});
    if (!waiting) return;
    const connection = { client, namespace, namespaceGiven: true, kubectl: 'kubectl' };
    annotate(connection, name, 'advance', waiting.advance, signal).catch((error: unknown) =>
      failed.abort(error),
    );
  };
  try {
    const ended = await showLive({
      client,
      namespace,
      name,
      display: await show(options, stage, { advance, fail: (error) => failed.abort(error) }),
      signal: AbortSignal.any([signal, failed.signal]),
      resultOf: ({ deleted, demo }) => {
        if (deleted) throw new Error(`the ChaosDemo ${name} was deleted`);
        const outcome = demo && waiter.observe(demo, performance.now());
        if (outcome?.why === 'refused') {
          throw new Error(`the ChaosDemo ${name} is not accepted (${outcome.reason}): ${outcome.message}`);
        }
        return demo?.status?.run?.phase ? demo : undefined;
      },
    });
    return await readDiagnoses(client, ended, signal);
  } finally {
    await client.close();
  }
}

/** In full-screen mode. Ctrl-C is sent to this process as a signal. */
export const showScreen: Show = async (_options, _stage, { advance }) =>
  await screenDisplay({
    view: watchView,
    keys: ({ demo }) => `${waitingOf(demo?.status ?? {}) ? 'space continue   ' : ''}Ctrl-C stop and restore`,
    onKey: (key, state) => {
      if (key === 'ctrl-c') process.kill(process.pid, 'SIGINT');
      if (key === ' ' || key === 'enter') advance(state);
    },
  });

/** As lines: those of `kubectl get -w`, chapters, results and countdowns. */
export const showLines: Show = async (
  { isManual, name, print },
  { controlPlane, namespace },
  { fail, advance },
) => {
  const { binary, env, kubeconfig } = controlPlane.kubectl;
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'get', 'chaosdemo', name, '-w'];
  print('');
  print(`$ kubectl -n ${namespace} get chaosdemo ${name} -w`);
  const rows = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let lastRow = '';
  const lines = createInterface({ input: rows.stdout }).on('line', (row) => {
    lastRow = row;
    print(row);
  });
  const display = plainDisplay(print);
  let last: LiveState | undefined;
  let lastPrompt: string | undefined;
  const stopListening = isManual
    ? listenToKeys(process.stdin, {
        advance: () => advance(last),
        onInterrupt: () => process.kill(process.pid, 'SIGINT'),
        onEnd: () => fail(new Error('the input has ended, so you cannot continue to the next chapter')),
      })
    : undefined;
  return {
    update(state, now) {
      last = state;
      display.update(state, now);
      const waiting = isManual ? waitingOf(state.demo?.status ?? {}) : undefined;
      if (waiting && waiting.advance !== lastPrompt) {
        print(`   ▸ Press space or enter for ${waiting.next ?? 'the verdict'}`);
      }
      lastPrompt = waiting?.advance;
    },
    async close() {
      stopListening?.();
      const phase = last?.demo?.status?.run?.phase;
      if (phase !== undefined && !lastRow.includes(phase)) await rowOf(phase, lines);
      rows.kill();
      await display.close();
    },
  };
};

/** kubectl has a separate watch, which may lag a moment: its last row belongs before the verdict. */
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
