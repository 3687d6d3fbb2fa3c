/** A real Kubernetes API server, Redis and pods as processes of one machine, for tests and demos. */
export { cacheRoot, type Progress, platform, type StepOptions } from './binaries/cache.ts';
export {
  type CachedFolders,
  cachedFolders,
  checkBinaries,
  type FoundBinaries,
  findControlPlaneBinaries,
} from './binaries/control-plane-binaries.ts';
export { findRedis, type RedisBinary } from './binaries/redis-binary.ts';
export {
  compareVersions,
  goModules,
  type PinnedVersions,
  readPin,
  readPinnedVersions,
} from './binaries/versions.ts';
export { type ControlPlane, type ControlPlaneBinaries, startControlPlane } from './control-plane.ts';
export { type Fix, messageOf, type TestbedCode, TestbedError } from './errors.ts';
export { Kubectl, writeKubeconfig } from './kubectl.ts';
export { type PodSpec, RegisteredPod, registerPods, runningPod, serviceObject } from './pods.ts';
export { freePort } from './ports.ts';
export { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.ts';
export { attempt, findInPath, pathExists, type RunOptions } from './run.ts';
export { OwnedProcess, type ProcessExit, Supervisor } from './supervisor.ts';
