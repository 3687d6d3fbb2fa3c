/** The API servers that a run on this machine can use, each with its operator. */
import type { KubeApi } from '@chaosdemo/kube-runtime';
import type { Kubectl } from '@chaosdemo/testbed';
import type { StageApi } from '../../local/environment.ts';

/** An operator that runs. */
export interface RunningOperator {
  /** How it runs, and where its log is. */
  readonly described: string;
  /** Resolves with the reason if it ends unexpectedly. */
  readonly failed: Promise<Error>;
  /** Releases active faults, and ends. */
  stop(): Promise<void>;
}

export interface ApiServer extends StageApi {
  /** As an administrator. */
  readonly client: KubeApi;
  /** How a user can use it as well; left out: it is inside of this process. */
  readonly kubectl?: Kubectl;
  /** Starts the operator. @param args its flags */
  operate(args: readonly string[], signal: AbortSignal): Promise<RunningOperator>;
}
