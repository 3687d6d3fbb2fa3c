/**
 * A real Kubernetes control plane as two local processes: etcd and kube-apiserver on loopback ports, with RBAC, service
 * account tokens and TLS. No kubelet, no scheduler, no controller manager: the status of a Pod is set by the code that
 * registers it (see pods.ts), and namespaces are never finalized.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kubectl, writeKubeconfig } from './kubectl.ts';
import { freePort } from './ports.ts';
import { type OwnedProcess, Supervisor } from './supervisor.ts';

/** Paths of the programs of a control plane. */
export interface ControlPlaneBinaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
}

export interface ControlPlaneOptions {
  readonly binaries: ControlPlaneBinaries;
  /** Owner of the processes and folders; by default the control plane creates its own. */
  readonly supervisor?: Supervisor;
  /** Further flags of the API server. */
  readonly apiServerFlags?: readonly string[];
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

export interface ControlPlane {
  readonly url: string;
  /** PEM file of the authority that signed the API server's certificate. */
  readonly caFile: string;
  /** A static token of group system:masters. */
  readonly adminToken: string;
  /** Kubeconfig of that admin. */
  readonly kubeconfig: string;
  /** kubectl as that admin. */
  readonly kubectl: Kubectl;
  /** The folder of its files; removed by stop(). */
  readonly folder: string;
  readonly etcd: OwnedProcess;
  /** The current process; another one after startApiServer(). */
  readonly apiServer: OwnedProcess;
  /** A kubeconfig, in `folder`, for the holder of a token. Returns its path. */
  kubeconfigFor(name: string, token: string, namespace?: string): Promise<string>;
  /** Starts the API server again, once it has ended, on the same port and data, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Stops both processes, the API server first, and removes the folder. Idempotent. */
  stop(): Promise<void>;
}

// 3 s on an idle machine; a starved one takes minutes, and a crash is noticed at once anyway.
const readyTimeoutMs = 600_000;

/**
 * Starts etcd and kube-apiserver and waits until /readyz returns ok. Throws PROCESS_EXITED or NOT_READY with the tail
 * of the output; what was started ends with the supervisor.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const supervisor = options.supervisor ?? new Supervisor();
  try {
    return await start(options, supervisor);
  } catch (error) {
    if (!options.supervisor) await supervisor.close();
    throw error;
  }
}

async function start(options: ControlPlaneOptions, supervisor: Supervisor): Promise<ControlPlane> {
  const { binaries, signal } = options;
  const folder = supervisor.temporaryFolder('control-plane');
  const adminToken = randomBytes(24).toString('base64url');
  writeCredentials(folder, adminToken);

  const etcdPort = await freePort();
  const etcd = await supervisor.start({
    name: 'etcd',
    command: binaries.etcd,
    args: etcdArgs(folder, etcdPort, await freePort()),
    logFile: join(folder, 'etcd.log'),
  });
  const health = `http://127.0.0.1:${etcdPort}/health`;
  const isHealthy = async () => (await fetch(health, { signal: AbortSignal.timeout(10_000) })).ok;
  await etcd.untilReady(isHealthy, readyTimeoutMs, signal);

  const caFile = join(folder, 'certificates', 'apiserver.crt');
  const kubeconfig = join(folder, 'admin.kubeconfig');
  const kubectl = new Kubectl(binaries.kubectl, kubeconfig);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const startServer = async (): Promise<OwnedProcess> => {
    const process = await supervisor.start({
      name: 'kube-apiserver',
      command: binaries.kubeApiserver,
      args: [...apiServerArgs(folder, port, etcdPort), ...(options.apiServerFlags ?? [])],
      logFile: join(folder, 'kube-apiserver.log'),
    });
    await writeKubeconfig(kubeconfig, { url, caFile }, adminToken);
    const isReady = async () =>
      (await kubectl.run(['get', '--raw', '/readyz'], { timeoutMs: 10_000 })) === 'ok';
    await process.untilReady(isReady, readyTimeoutMs, signal);
    return process;
  };
  let apiServer = await startServer();
  let stopped: Promise<void> | undefined;

  return {
    url,
    caFile,
    adminToken,
    kubeconfig,
    kubectl,
    folder,
    etcd,
    get apiServer() {
      return apiServer;
    },
    kubeconfigFor: (name, token, namespace) =>
      writeKubeconfig(join(folder, `${name}.kubeconfig`), { url, caFile }, token, namespace),
    async startApiServer() {
      apiServer = await startServer();
    },
    stop() {
      stopped ??= (async () => {
        // The data is in memory and in a temporary folder: there is nothing to save, so no grace for open watches,
        // which would take many seconds.
        await apiServer.stop(500);
        await etcd.stop(500);
        await supervisor.removeFolder(folder);
        if (!options.supervisor) await supervisor.close();
      })();
      return stopped;
    },
  };
}

function writeCredentials(folder: string, adminToken: string): void {
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'service-account.key'), keys.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'service-account.pub'), keys.publicKey);
  writeFileSync(join(folder, 'tokens.csv'), `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
}

function etcdArgs(folder: string, client: number, peer: number): string[] {
  const peerUrl = `http://127.0.0.1:${peer}`;
  const clientUrl = `http://127.0.0.1:${client}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    // The data need not survive a power cut, and slow disks make slow tests.
    '--unsafe-no-fsync',
    // A single member has no peers for its heartbeats, and each tick costs CPU time. It elects itself after one to five
    // ticks here, so they must not be slow either: a start would take seconds longer.
    '--heartbeat-interval=250',
    '--election-timeout=1250',
    '--log-level=warn',
  ];
}

function apiServerArgs(folder: string, port: number, etcd: number): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    // It creates its certificate there, with 127.0.0.1 in it, and keeps it over restarts.
    `--cert-dir=${join(folder, 'certificates')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'service-account.key')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    // A loopback address is rejected as an endpoint of the service `kubernetes`, and without this the machine would
    // need an external address to start.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    // This plugin requires default service accounts and a published root certificate, which no controller creates here.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
  ];
}
