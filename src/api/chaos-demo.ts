/** The complete resource, in its JSON form. */
import type { API_VERSION, KIND } from './group.ts';
import type { ChaosDemoSpec } from './spec.ts';
import type { ChaosDemoStatus } from './status.ts';

export interface ChaosDemo {
  apiVersion: typeof API_VERSION;
  kind: typeof KIND;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    finalizers?: string[];
  };
  spec: ChaosDemoSpec;
  status?: ChaosDemoStatus;
}
