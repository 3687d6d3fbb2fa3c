/** Pods as the API server hands them out, for tests. */
import type { Pod } from '../cluster.ts';

/** A Ready pod with one container `app` that has the port `http` 8080; `change` may make it anything else. */
export function pod(name: string, change: (pod: PodFields) => void = () => {}): Pod {
  const fields: PodFields = {
    metadata: { name, namespace: 'shop', uid: `uid-${name}` },
    spec: {
      containers: [{ name: 'app', image: 'limiter:1', ports: [{ name: 'http', containerPort: 8080 }] }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', image: 'limiter:1', imageID: 'sha256:1' }],
    },
  };
  change(fields);
  return fields;
}

/** A pod whose parts are all there, so that a test can change them. */
export type PodFields = Pod & {
  spec: NonNullable<Pod['spec']>;
  status: NonNullable<Pod['status']>;
};

/** Makes a pod not Ready. */
export function unready({ status }: PodFields): void {
  status.conditions = [{ type: 'Ready', status: 'False' }];
}
