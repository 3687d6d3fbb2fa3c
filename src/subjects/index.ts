/** The subjects that this operator supports. The first is the default of a spec. */

import { type ChaosDemoSpec, subjectPart } from '../api/index.ts';
import type { DiagnosisProfiles } from '../diagnosis/index.ts';
import type { Subject } from '../engine/subject.ts';
import type { Draw } from '../evidence/index.ts';
import type { Cluster } from './cluster.ts';
import { rateLimiter, rateLimiterExplainedBy } from './ratelimiter/index.ts';

export const SUBJECTS: readonly Subject<Cluster>[] = [rateLimiter];

/** The same, with other profiles than the rules to explain what was detected. */
export function subjectsExplainedBy(diagnosis: DiagnosisProfiles): readonly Subject<Cluster>[] {
  return [rateLimiterExplainedBy(diagnosis)];
}

/** How the histories of a spec are drawn; undefined: its subject records none. */
export function drawOf(spec: ChaosDemoSpec): Draw | undefined {
  const subject = SUBJECTS.find(({ definition }) => subjectPart(spec, definition.api.member) !== undefined);
  return subject?.definition.draw;
}
