/** Follows the run of `npm run demo` in the live view, where there is a terminal. */
import type { ChaosDemo } from '../api/index.ts';
import { KubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import type { Stage } from '../local/environment.ts';
import { annotate } from './plugin/demos.ts';
import { waitingOf } from './stepper.ts';
import { screenDisplay } from './view/screen-display.ts';
import { showLive } from './view/session.ts';
import type { LiveState } from './view/state.ts';
import { watchView } from './view/watch-view.ts';

/**
 * Takes the terminal until the run has ended; returns the object as it is then. Space or enter goes on to the next
 * chapter where the run waits for that. Ctrl-C is sent to this process as a signal.
 * @throws when it was deleted, an annotation could not be written, or the reason of `signal`
 */
export async function followLive(
  { controlPlane, namespace }: Stage,
  name: string,
  signal: AbortSignal,
): Promise<ChaosDemo> {
  const { kubeconfig } = controlPlane.kubectl;
  const client = new KubeClient(loadKubeConfig(kubeconfig));
  const failed = new AbortController();
  const goOn = (state: LiveState | undefined): void => {
    const waiting = waitingOf(state?.demo?.status ?? {});
    if (!waiting) return;
    const connection = { client, namespace, namespaceGiven: true, kubectl: 'kubectl' };
    annotate(connection, name, 'advance', waiting.advance, signal).catch((error: unknown) =>
      failed.abort(error),
    );
  };
  try {
    const display = await screenDisplay({
      view: watchView,
      keys: ({ demo }) => `${waitingOf(demo?.status ?? {}) ? 'space go on   ' : ''}Ctrl-C stop and restore`,
      onKey: (key, state) => {
        if (key === 'ctrl-c') process.kill(process.pid, 'SIGINT');
        if (key === ' ' || key === 'enter') goOn(state);
      },
    });
    return await showLive({
      client,
      namespace,
      name,
      display,
      signal: AbortSignal.any([signal, failed.signal]),
      look: ({ deleted, demo }) => {
        if (deleted) throw new Error(`the ChaosDemo ${name} was deleted`);
        return demo?.status?.run?.verdict ? demo : undefined;
      },
    });
  } finally {
    await client.close();
  }
}
