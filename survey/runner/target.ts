/** Registers a limiter of the survey and its Redis at an API server, as a cluster would have them. */
import type { Kubectl, RedisServer, RegisteredPod } from '@chaosdemo/testbed';
import { limiterTarget, listenerOf, registerAt, type Target } from '../../src/local/target.ts';
import { type RunningProxy, registerFaultProxy } from '../../test/kit/fault-proxy.ts';
import { labelsOf } from './demo.ts';
import type { SurveyedLimiter } from './limiter.ts';
import type { SurveyedProcess } from './start.ts';

/** What is registered in one namespace. */
export interface SurveyedTarget {
  readonly namespace: string;
  readonly limiter: SurveyedLimiter;
  readonly processes: readonly SurveyedProcess[];
  readonly redis: RedisServer;
  /** Between the processes and Redis. */
  readonly proxy?: RunningProxy;
}

/** Makes their pods and Services. Returns the pods in the order of `processes`, then that of Redis. */
export async function registerSurveyed(kubectl: Kubectl, target: SurveyedTarget): Promise<RegisteredPod[]> {
  if (target.proxy) await registerFaultProxy(kubectl, target.namespace, target.proxy);
  return await registerAt(kubectl, surveyedTarget(target));
}

/** Their pods and the Service `redis`. */
export function surveyedTarget({ limiter, namespace, processes, redis }: SurveyedTarget): Target {
  return limiterTarget({ namespace, labels: labelsOf(limiter), limiters: processes.map(listenerOf), redis });
}
