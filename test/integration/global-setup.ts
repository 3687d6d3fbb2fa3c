/**
 * One control plane for all integration tests: made before the first, gone
 * after the last. Each file has its own namespaces.
 */
import type { ControlPlaneBinaries } from '@chaosdemo/testbed';
import type { TestProject } from 'vitest/node';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { ensureRedis } from '../../tools/binaries/redis.ts';
import { measurePace } from '../kit/measure-pace.ts';
import { startOwnControlPlane } from '../kit/own-control-plane.ts';

/** What tests get by `inject('controlPlane')`. */
export interface ProvidedControlPlane {
  readonly url: string;
  readonly caFile: string;
  /** Token of group system:masters. */
  readonly adminToken: string;
  /** Path of that admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly binaries: ControlPlaneBinaries;
}

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ProvidedControlPlane;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const pace = measurePace();
  if (!pace.keepsTime) {
    process.stdout.write(`[pace] tests that keep real time are skipped: ${pace.finding}\n`);
  }
  project.provide('pace', pace);
  const progress = (message: string): void => void process.stdout.write(`[control plane] ${message}\n`);
  await ensureRedis({ progress: (message) => void process.stdout.write(`[redis] ${message}\n`) });
  const { etcd, kubeApiserver, kubectl } = await ensureControlPlaneBinaries({ progress });
  const binaries = { etcd, kubeApiserver, kubectl };
  const controlPlane = await startOwnControlPlane({ progress });
  const { url, caFile, adminToken, kubeconfig } = controlPlane;
  project.provide('controlPlane', { url, caFile, adminToken, kubeconfig, binaries });
  return () => controlPlane.stop();
}
