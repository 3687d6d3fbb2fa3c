/** Has a provider explain one recording, checks what it says as the operator does, and grades it. */
import type { Recording } from '../../corpus/recording.ts';
import {
  type DiagnosisAnswer,
  type DiagnosisProvider,
  gradeAnswer,
  queryProvider,
} from '../../src/diagnosis/index.ts';
import type { DiagnosisGrade } from '../../src/evidence/index.ts';

export interface Explained extends Pick<Recording, 'name' | 'case' | 'heldBack' | 'truths'> {
  readonly answer?: DiagnosisAnswer;
  readonly grade?: DiagnosisGrade;
  /** Why there is no answer. */
  readonly rejected?: string;
}

/** Never throws: that a provider fails is what its figures are about. */
export async function explain(
  { bundle, case: of, heldBack, name, truths }: Recording,
  provider: DiagnosisProvider,
): Promise<Explained> {
  const about = { name, case: of, heldBack, truths };
  const reply = await queryProvider(provider, bundle, new AbortController().signal);
  if ('failed' in reply) return { ...about, rejected: reply.failed };
  if ('rejected' in reply) return { ...about, rejected: reply.rejected };
  const { answer } = reply;
  return { ...about, answer, grade: gradeAnswer(answer, bundle, truths) };
}

/** Whether it names both the class and the component. */
export function isRight({ grade }: Pick<Explained, 'grade'>): boolean {
  return grade?.identification === 'Right' && grade.localization === 'Right';
}
