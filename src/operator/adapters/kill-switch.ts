/**
 * The kill switch for the cluster: a ConfigMap in the namespace of the operator that stops every run and lets none
 * start.
 *
 *     kubectl -n chaosdemo-system create configmap chaosdemo-kill-switch --from-literal=stop=true
 *
 * It is active if the ConfigMap has a key `stop` with any value but "false". In a hurry, spelling must not matter;
 * "yes", "1" and an empty value stop as well. It is off if the ConfigMap or the key is missing, or the value is
 * "false".
 */

import type { KubeObject, ReflectorOptions } from '@chaosdemo/kube-runtime';
import { corePath, Reflector, Store } from '@chaosdemo/kube-runtime';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Name of the ConfigMap. */
export const KILL_SWITCH = 'chaosdemo-kill-switch';

/**
 * Watches the ConfigMap in the namespace of the operator. The caller must run the reflector; nothing may be started
 * before it has synced, and until then the switch is off.
 * @param onChange called whenever the switch changes, or is found active at first
 */
export function createKillSwitch(
  options: Pick<ReflectorOptions<ConfigMap>, 'client' | 'logger'>,
  namespace: string,
  onChange: () => void,
): { readonly isOn: () => boolean; readonly reflector: Reflector<ConfigMap> } {
  const { logger } = options;
  const store = new Store<ConfigMap>(logger);
  const isOn = (): boolean => store.list().some(({ data }) => stops(data));
  let wasOn = false;
  store.subscribe(() => {
    if (isOn() === wasOn) return;
    wasOn = isOn();
    const configMap = `${namespace}/${KILL_SWITCH}`;
    logger.warn({ configMap }, wasOn ? 'the kill switch is active' : 'the kill switch is off');
    onChange();
  });
  const path = corePath('configmaps', { namespace });
  // With this selector a right on the one name suffices for list and watch.
  const fieldSelector = `metadata.name=${KILL_SWITCH}`;
  return { isOn, reflector: new Reflector({ ...options, path, fieldSelector, store }) };
}

/** Whether the data of the ConfigMap mean stop. */
export function stops(data: Readonly<Record<string, string>> | undefined): boolean {
  const stop = data?.['stop'];
  return stop !== undefined && stop.trim().toLowerCase() !== 'false';
}
