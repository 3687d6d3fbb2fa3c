/** Sidecars in front of the nodes of a limiter, as a mesh has them: HTTPS, and nobody gets in without the token. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { PodTarget } from '../../../src/subjects/ratelimiter/index.ts';
import type { Asked, SidecarData } from './sidecars-process.ts';

export interface Sidecars {
  /** The nodes, each at its sidecar. */
  readonly nodes: readonly PodTarget[];
  /** What was asked with a header `authorization` so far. */
  asked(): Promise<readonly Asked[]>;
  stop(): void;
}

/** In a process of their own: what they take of the time is not taken from whoever sends to them. */
export async function startSidecars(data: SidecarData): Promise<Sidecars> {
  const child = fork(new URL('sidecars-process.ts', import.meta.url));
  child.send(data);
  const [ports] = (await once(child, 'message')) as [number[]];
  return {
    nodes: data.nodes.map((node, i) => ({ ...node, port: ports[i] ?? 0 })),
    async asked() {
      child.send('asked');
      const [asked] = (await once(child, 'message')) as [Asked[]];
      return asked;
    },
    stop: () => child.disconnect(),
  };
}
