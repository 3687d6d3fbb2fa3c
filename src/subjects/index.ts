/** The subjects that this operator supports. The first is the default of a spec. */

import { type ChaosDemoSpec, subjectPart } from '../api/index.ts';
import type { DiagnosisProfiles } from '../diagnosis/index.ts';
import type { Subject } from '../engine/subject.ts';
import type { Draw } from '../evidence/index.ts';
import type { Cluster } from './cluster.ts';
import { lockKind } from './lock/kind.ts';
import { rateLimiterKind } from './ratelimiter/kind.ts';
import { evidenceIn } from './run/replay.ts';
import type { SubjectKind } from './scenarios/scenario-type.ts';
import { subjectOf } from './subject.ts';

export const SUBJECTS = [subjectOf(rateLimiterKind), subjectOf(lockKind)] as const;

/** What their runs and histories need to know of them. */
export const KINDS: readonly SubjectKind[] = [rateLimiterKind, lockKind];

/** The same, with other profiles than the rules to explain what was detected. */
export function subjectsExplainedBy(diagnosis: DiagnosisProfiles): readonly Subject<Cluster>[] {
  return KINDS.map((kind) => subjectOf(kind, diagnosis));
}

/** @throws RangeError for a spec without a subject, which the API server refuses */
export function kindOf(spec: ChaosDemoSpec): SubjectKind {
  const found = KINDS.find(({ api }) => subjectPart(spec, api.member) !== undefined);
  if (!found) throw new RangeError('the spec has no subject');
  return found;
}

/** Draws the lines of a history of any of them. */
export const draw: Draw = async (lines) => await evidenceIn(lines, KINDS);
