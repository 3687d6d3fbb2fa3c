/** Sidecars in front of the pods of a limiter, as in a mesh: HTTPS, and only with the token. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { PodTarget } from '../../../src/subjects/targets/target.ts';
import type { SidecarData } from './sidecars-process.ts';

export interface Sidecars {
  /** The nodes, each at its sidecar. */
  readonly nodes: readonly PodTarget[];
  /** The paths of requests with a header `authorization` so far. */
  requests(): Promise<readonly string[]>;
  stop(): void;
}

/** Runs in a separate process, so that it takes no time from the sender of a burst. */
export async function startSidecars(data: SidecarData): Promise<Sidecars> {
  const child = fork(new URL('sidecars-process.ts', import.meta.url));
  child.send(data);
  const [ports] = (await once(child, 'message')) as [number[]];
  return {
    nodes: data.nodes.map((node, i) => ({ ...node, port: ports[i] ?? 0 })),
    async requests() {
      child.send('requests');
      const [requests] = (await once(child, 'message')) as [string[]];
      return requests;
    },
    stop: () => child.disconnect(),
  };
}
