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
import { Reflector, resourcePath, Store } from '@chaosdemo/kube-runtime';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Watches the ConfigMap of the kill switch. */
export class KillSwitch {
  readonly #store: Store<ConfigMap>;
  /** Must be run by the caller; nothing may be started before it has synced. */
  readonly reflector: Reflector<ConfigMap>;

  /** @param options.onChange called whenever the switch changes, or is found active at first */
  constructor(
    options: Pick<ReflectorOptions<ConfigMap>, 'client' | 'logger' | 'onActivity'> & {
      /** Of the operator. */
      readonly namespace: string;
      /** Of the ConfigMap. */
      readonly name: string;
      readonly onChange: (on: boolean) => void;
    },
  ) {
    const { logger, namespace, name, onChange } = options;
    this.#store = new Store<ConfigMap>(logger);
    this.reflector = new Reflector({
      ...options,
      path: resourcePath({ group: '', version: 'v1', plural: 'configmaps' }, { namespace }),
      // With this selector a right on the one name suffices for list and watch.
      fieldSelector: `metadata.name=${name}`,
      store: this.#store,
    });
    let wasOn = false;
    this.#store.subscribe(() => {
      if (this.isOn() === wasOn) return;
      wasOn = this.isOn();
      logger.warn(
        { configMap: `${namespace}/${name}` },
        wasOn ? 'the kill switch is active' : 'the kill switch is off',
      );
      onChange(wasOn);
    });
  }

  /** Whether every run has to stop. False before the first check. */
  isOn(): boolean {
    return this.#store.list().some(({ data }) => stops(data));
  }
}

/** Whether the data of the ConfigMap mean stop. */
export function stops(data: Readonly<Record<string, string>> | undefined): boolean {
  const stop = data?.['stop'];
  return stop !== undefined && stop.trim().toLowerCase() !== 'false';
}
