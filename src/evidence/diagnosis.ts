/** A diagnosis as kept in the evidence of a run: the complete answer, of which a status has the short form. */
import { z } from 'zod';

/** Bounds of its parts, in items or characters. */
export const DIAGNOSIS_LIMITS = {
  chain: 6,
  cites: 8,
  stepText: 256,
  alternatives: 3,
} as const;

const percent = z.int().min(0).max(100);
const rightOrWrong = z.enum(['Right', 'Wrong']);
const id = z.string().max(8);
const name = z.string().max(32);

const grade = z.object({
  localization: rightOrWrong,
  identification: rightOrWrong,
  action: rightOrWrong,
  /** The injected fault, in the words of a diagnosis. */
  truth: z.string().max(128),
});

/** Members that only earlier versions had are ignored. */
export const diagnosis = z.object({
  scenario: z.string().max(63),
  class: name,
  component: name,
  pod: z.string().max(253).optional(),
  /** From the cause to what was observed. */
  chain: z
    .array(
      z.strictObject({
        text: z.string().max(DIAGNOSIS_LIMITS.stepText),
        /** Ids of series, events and values of the bundle. */
        evidence: z.array(id).max(DIAGNOSIS_LIMITS.cites),
      }),
    )
    .max(DIAGNOSIS_LIMITS.chain),
  action: name,
  /** Missing if the fault was injected into the store. */
  recommendation: z.string().max(256).optional(),
  confidence: percent,
  /** Other causes, the likeliest first. */
  alternatives: z.array(z.strictObject({ class: name, component: name })).max(DIAGNOSIS_LIMITS.alternatives),
  profile: z.string().max(63),
  /** The kind of API that answered; the rules are one of their own. */
  provider: z.string().max(64),
  model: z.string().max(128).optional(),
  promptVersion: name,
  /** Of the bundle: ids of another version may name something else. */
  evidenceVersion: name,
  grade: grade.optional(),
});

export type Diagnosis = z.infer<typeof diagnosis>;
export type DiagnosisGrade = z.infer<typeof grade>;

/** A diagnosis, or none with the reason in `message`. */
export interface DiagnosisReport {
  readonly diagnosis?: Diagnosis;
  readonly message: string;
}
