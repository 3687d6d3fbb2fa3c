/** Everything that torture happens on: an API server, two operators, and lanes. It stands for many runs. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type KubeApi, KubeClient } from '@chaosdemo/kube-runtime';
import { loadKubeConfig } from '@chaosdemo/kube-runtime/kubeconfig';
import { type ControlPlane, Supervisor } from '@chaosdemo/testbed';
import { ensureRedis } from '../../tools/binaries/redis.ts';
import { Demos } from '../kit/demos.ts';
import { plantAttacks } from '../kit/hostile-tenant.ts';
import { prepareOperator } from '../kit/operator.ts';
import { startOwnControlPlane } from '../kit/own-control-plane.ts';
import { until } from '../kit/until.ts';
import type { Cast } from './director.ts';
import { Lane } from './lane.ts';
import { watchPace } from './observer/pace-eye.ts';
import { VersionEye } from './observer/version-eye.ts';
import type { LanePlan } from './plan.ts';
import type { Passing } from './proxies/weather.ts';
import { TortureRecord } from './record.ts';
import { OperatorReplica } from './replica.ts';

/** An API server that others have started, with the CRDs and the operator's roles in it. */
export type GivenApiServer = Pick<ControlPlane, 'url' | 'caFile' | 'kubeconfig' | 'kubectl'>;

export interface StageOptions {
  /** Of each lane. */
  readonly modes: readonly LanePlan['mode'][];
  /** Without one the stage starts its own, which may then be killed. */
  readonly apiServer?: GivenApiServer;
  /** Whether there is a tenant whose Redis servers send what takes long to read. */
  readonly isAttacked?: boolean;
  readonly say?: (line: string) => void;
}

/** The API server may be away, and requests wait in it. */
const CLIENT_TIMEOUT_MS = 20_000;

export class Stage implements Cast {
  readonly lanes: Lane[] = [];
  readonly replicas: OperatorReplica[] = [];
  readonly demos: Demos[] = [];
  /** Where the observer notes what it sees; another one for each run. */
  record = new TortureRecord();
  /** What decides of what passes a proxy; another one for each run. */
  passing: Passing = async () => 'pass';
  readonly #supervisor = new Supervisor();
  readonly #client: KubeApi;
  readonly #own: ControlPlane | undefined;
  readonly #eyes: VersionEye[] = [];
  readonly #stopPace = watchPace(() => this.record);
  #stopAttacks: () => Promise<void> = async () => {};

  private constructor(client: KubeApi, own: ControlPlane | undefined) {
    this.#client = client;
    this.#own = own;
  }

  static async start({ apiServer, isAttacked = false, modes, say = () => {} }: StageOptions): Promise<Stage> {
    await ensureRedis({ progress: say });
    const own = apiServer ? undefined : await startOwnControlPlane({ progress: say });
    const server: GivenApiServer = apiServer ?? (own as ControlPlane);
    const client = new KubeClient(loadKubeConfig(server.kubeconfig), {
      userAgent: 'torture',
      timeoutMs: CLIENT_TIMEOUT_MS,
    });
    const stage = new Stage(client, own);
    try {
      await stage.#build(server, modes, isAttacked, say);
      return stage;
    } catch (error) {
      for (const [name, text] of Object.entries(await stage.operatorLogs())) {
        for (const line of text.trimEnd().split('\n').slice(-5)) say(`${name}: ${line.slice(0, 300)}`);
      }
      await stage.stop();
      throw error;
    }
  }

  get killApiServer(): Cast['killApiServer'] {
    const own = this.#own;
    if (!own) return undefined;
    return async (ms) => {
      own.apiServer.kill('SIGKILL');
      await own.apiServer.exited;
      await new Promise((resolve) => setTimeout(resolve, ms));
      await own.startApiServer();
    };
  }

  /** Waits until everything stands as before a run: nodes, Redis, and an operator that leads. */
  async untilWell(): Promise<void> {
    const proxies = [
      ...this.replicas.map(({ proxy }) => proxy),
      ...this.lanes.flatMap(({ nodeProxies, redisProxies }) => [...redisProxies, ...nodeProxies]),
    ];
    for (const { weather } of proxies) weather.clear();
    await Promise.all(this.lanes.map((lane) => lane.untilWell()));
    const since = performance.timeOrigin + performance.now();
    await until(() => this.replicas.some(({ proxy }) => proxy.leasedAt > since), {
      what: 'an operator to lead',
      deadlineMs: 60_000,
    });
  }

  /** The last lines of what operators wrote, for those who look for a cause. */
  async operatorLogs(): Promise<Record<string, string>> {
    const files = this.replicas.flatMap(({ identity, logFiles }) =>
      logFiles.map((file) => [identity, file] as const),
    );
    const texts: Record<string, string> = {};
    for (const [identity, file] of files)
      texts[identity] = (texts[identity] ?? '') + (await readFile(file, 'utf8'));
    return texts;
  }

  async stop(): Promise<void> {
    this.#stopPace();
    await Promise.all(this.#eyes.map((eye) => eye.close()));
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    await Promise.all(this.lanes.map((lane) => lane.stop()));
    await this.#stopAttacks();
    await this.#client.close();
    await this.#own?.stop();
    await this.#supervisor.close();
  }

  async #build(
    server: GivenApiServer,
    modes: StageOptions['modes'],
    isAttacked: boolean,
    say: (line: string) => void,
  ): Promise<void> {
    const id = randomBytes(3).toString('hex');
    const namespaces = modes.map((_, number) => `torture-${id}-${number}`);
    const hostile = `torture-${id}-hostile`;
    const watched = isAttacked ? [...namespaces, hostile] : namespaces;
    const place = { system: `torture-${id}-system`, namespaces: watched };
    const { kubectl } = server;
    const supervisor = this.#supervisor;
    await prepareOperator(kubectl, place);
    const record = (): TortureRecord => this.record;
    const passing: Passing = (lane, what) => this.passing(lane, what);
    for (const [number, namespace] of namespaces.entries()) {
      say(`starting lane ${number}`);
      const mode = modes[number] ?? 'approximate';
      this.lanes.push(await Lane.start({ number, namespace, mode, kubectl, supervisor, record, passing }));
      this.demos.push(new Demos(this.#client, namespace));
      this.#eyes.push(new VersionEye({ client: this.#client, namespace, lane: number, record }));
    }
    const laneOf = (namespace: string): number | undefined => {
      const lane = namespaces.indexOf(namespace);
      return lane < 0 ? undefined : lane;
    };
    say('starting two operators');
    const { caFile, url } = server;
    for (const replica of ['operator-a', 'operator-b']) {
      const options = {
        replica,
        url,
        caFile,
        record,
        passing,
        laneOf,
        place,
        kubectl,
        supervisor,
      };
      this.replicas.push(await OperatorReplica.start(options));
    }
    if (isAttacked) {
      say('starting servers of a hostile tenant');
      const attacks = await plantAttacks({ client: this.#client, kubectl, namespace: hostile });
      this.#stopAttacks = attacks.stop;
    }
    await this.untilWell();
  }
}
