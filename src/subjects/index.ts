/** The subjects that this operator supports. The first is the default of a spec. */

import type { DiagnosisProfiles } from '../diagnosis/index.ts';
import type { Subject } from '../engine/subject.ts';
import type { Cluster } from './cluster.ts';
import { rateLimiter, rateLimiterExplainedBy } from './ratelimiter/index.ts';

export const SUBJECTS: readonly Subject<Cluster>[] = [rateLimiter];

/** The same, with other profiles than the rules to explain what was detected. */
export function subjectsExplainedBy(diagnosis: DiagnosisProfiles): readonly Subject<Cluster>[] {
  return [rateLimiterExplainedBy(diagnosis)];
}
