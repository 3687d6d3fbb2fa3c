/** What a machine must give before a cluster can run on it. */
import { existsSync, readFileSync } from 'node:fs';
import { ToolError } from '../errors.ts';

/** What is looked at. */
export interface Machine {
  readonly engine: 'docker' | 'podman';
  readonly platform: NodeJS.Platform;
  readonly root: boolean;
  /** Effective capabilities of this process, as a bit field. */
  readonly capabilities: bigint;
  /** Whether there is a cgroup hierarchy. */
  readonly cgroups: boolean;
}

const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** What is missing, and what to do about it; empty where a node can run. Docker's daemon has its own rights. */
export function missingForCluster(machine: Machine): string[] {
  if (machine.engine === 'docker') return [];
  if (machine.platform !== 'linux') return ['podman runs nodes on Linux only: use Docker'];
  if (!machine.root) return ['root, since podman would run the node without rights: use sudo, or Docker'];
  const has = (bit: bigint): boolean => ((machine.capabilities >> bit) & 1n) === 1n;
  const missing: string[] = [];
  if (!has(CAP_SYS_ADMIN)) {
    missing.push(
      'the capability SYS_ADMIN, to mount: start the container that this runs in with --privileged',
    );
  }
  if (!has(CAP_NET_ADMIN)) {
    missing.push('the capability NET_ADMIN, for networks of pods: start the container with --privileged');
  }
  if (!machine.cgroups)
    missing.push('cgroups at /sys/fs/cgroup: mount them, or start the container with them');
  return missing;
}

/** @throws ToolError CLUSTER_IMPOSSIBLE that names all that is missing */
export function assertClusterPossible({ name }: { readonly name: Machine['engine'] }): void {
  const missing = missingForCluster({
    engine: name,
    platform: process.platform,
    root: process.getuid?.() === 0,
    capabilities: effectiveCapabilities(),
    cgroups: ['cgroup.controllers', 'memory', 'unified'].some((name) => existsSync(`/sys/fs/cgroup/${name}`)),
  });
  if (missing.length > 0) {
    throw new ToolError('CLUSTER_IMPOSSIBLE', `No cluster can run here. Missing:\n- ${missing.join('\n- ')}`);
  }
}

/** Of this process; none if the system does not report them. */
export function effectiveCapabilities(): bigint {
  if (!existsSync('/proc/self/status')) return 0n;
  const found = /^CapEff:\s+([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return BigInt(`0x${found ?? '0'}`);
}
