/** One of two operators side by side, and the proxy by which it reaches the API server. */

import { join } from 'node:path';
import { type Kubectl, type OwnedProcess, type Supervisor, writeKubeconfig } from '@chaosdemo/testbed';
import { NO_COOLDOWN, type OperatorProcess, spawnOperator } from '../../src/local/operator.ts';
import { certificateFor } from '../kit/certificate.ts';
import { DisturbedCells } from '../kit/disturbed-cells.ts';
import type { OperatorPlace } from '../kit/operator.ts';
import { OPERATOR } from '../kit/operator-account.ts';
import { freeze, pause } from './lane.ts';
import { ApiProxy, type ApiProxyOptions } from './proxies/api-proxy.ts';
import { now } from './record.ts';
import { LEASE_MS } from './settings.ts';

const TIMES = [`--lease-duration=${LEASE_MS}ms`];

export interface ReplicaOptions extends Omit<ApiProxyOptions, 'certificate'> {
  readonly place: OperatorPlace;
  readonly kubectl: Kubectl;
  readonly supervisor: Supervisor;
}

export class OperatorReplica {
  readonly identity: string;
  readonly proxy: ApiProxy;
  readonly #operator: OperatorProcess;
  readonly #cells: DisturbedCells;
  readonly #options: ReplicaOptions;
  readonly #stopped = new Set<OwnedProcess>();
  readonly #logs = new Set<string>();

  private constructor(
    options: ReplicaOptions,
    proxy: ApiProxy,
    operator: OperatorProcess,
    cells: DisturbedCells,
  ) {
    this.identity = options.replica;
    this.proxy = proxy;
    this.#options = options;
    this.#operator = operator;
    this.#cells = cells;
    this.#expectToStay();
  }

  static async start(options: ReplicaOptions): Promise<OperatorReplica> {
    const { kubectl, place, replica, supervisor } = options;
    const folder = supervisor.temporaryFolder(replica);
    const certificate = await certificateFor(folder, 'IP:127.0.0.1');
    const proxy = await ApiProxy.start({ ...options, certificate });
    const { caFile } = certificate;
    const cells = new DisturbedCells(folder);
    const operator = await spawnOperator({
      controlPlane: {
        kubectl,
        kubeconfigFor: (name, token, namespace) =>
          writeKubeconfig(join(folder, `${name}.kubeconfig`), { url: proxy.url, caFile }, token, namespace),
      },
      supervisor,
      program: cells.program,
      account: { namespace: place.system, name: OPERATOR.serviceAccount },
      args: [
        `--watch-namespaces=${place.namespaces.join(',')}`,
        `--identity=${replica}`,
        NO_COOLDOWN,
        ...TIMES,
      ],
    });
    return new OperatorReplica(options, proxy, operator, cells);
  }

  /** SIGKILL, and another process after `ms`. The signal is sent before this returns. */
  async kill(ms: number): Promise<void> {
    await this.#replace('SIGKILL', ms);
  }

  /** SIGTERM, which has it release what is on, and another process `ms` after it has ended. */
  async restart(ms: number): Promise<void> {
    await this.#replace('SIGTERM', ms);
  }

  /** SIGSTOP, and SIGCONT after `ms`. */
  async freeze(ms: number): Promise<void> {
    await freeze(this.#operator.process, ms);
  }

  /** Ends one of its threads of runs, if there is one. It starts another when a run needs one. */
  async killCell(): Promise<void> {
    await this.#cells.disturb('end');
  }

  /** One of its threads of runs, if there is one, does nothing for `ms`. */
  async freezeCell(ms: number): Promise<void> {
    if (await this.#cells.disturb(`freeze ${ms}`)) await pause(ms);
  }

  /** Files that its processes have written to. */
  get logFiles(): readonly string[] {
    return [...this.#logs];
  }

  async stop(): Promise<void> {
    this.#stopped.add(this.#operator.process);
    await this.#operator.stop();
    await this.proxy.stop();
  }

  async #replace(signal: 'SIGKILL' | 'SIGTERM', ms: number): Promise<void> {
    const { process } = this.#operator;
    this.#stopped.add(process);
    process.kill(signal);
    await process.exited;
    await pause(ms);
    await this.#operator.start();
    this.#expectToStay();
  }

  #expectToStay(): void {
    const { process } = this.#operator;
    this.#logs.add(process.logFile);
    void process.exited.then(() => {
      if (this.#stopped.has(process)) return;
      const how = process.exitError().message;
      this.#options.record().note({ kind: 'lost', at: now(), name: this.identity, how });
    });
  }
}
