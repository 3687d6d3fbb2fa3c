/** The page of `kubectl chaosdemo ui` on the control plane of `npm run demo`. */
import { KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import type { Stage } from '../local/environment.ts';
import type { OpenUi } from './plugin/ui/ui.ts';

/** Serves the page on loopback, prints its address, and opens it if there is a display. The caller closes it. */
export async function openDemoPage(
  { controlPlane, namespace }: Pick<Stage, 'controlPlane' | 'namespace'>,
  name: string,
  print: (line: string) => void,
): Promise<OpenUi> {
  // Loads the charting library, which no other demo needs.
  const { hasBrowser, openUi } = await import('./plugin/ui/ui.ts');
  const client = new KubeClient(loadKubeConfig(controlPlane.kubectl.kubeconfig));
  const connection = { client, namespace, namespaceGiven: true, kubectl: 'kubectl' };
  try {
    print('');
    const { address, close } = await openUi({ connection, name, port: 0, open: hasBrowser(), print });
    return {
      address,
      close: async () => {
        await close();
        await client.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
