/** Pieces that the schemas of the envelope and of the subjects are made of. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import type { CelRule } from './subject-api.ts';

/** Rules in CEL, as `.meta()` takes them. */
export const cel = (...rules: CelRule[]) => ({ 'x-kubernetes-validations': rules });

/** A duration between two bounds, both included. The default, if any, is chained behind it. */
export function durationField(description: string, min: string, max: string) {
  return z
    .string()
    .regex(DURATION_PATTERN)
    .max(24)
    .meta({
      description: `${description} Whole numbers with h, m, s or ms, from ${min} to ${max}.`,
      ...cel({
        rule: ifDurations(
          ['self'],
          `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
        ),
        message: `must be from ${min} to ${max}`,
      }),
    });
}

/**
 * One duration of a spec that a story takes: of the scenario itself, of its fault's
 * parameters, or of the subject. `field` is a path: "health.timeout".
 */
export interface DurationTerm {
  readonly of: 'scenario' | 'fault' | 'subject';
  readonly field: string;
}

/** The parts of a spec that {@link DurationTerm}s point into, defaults filled in. */
export interface TermParts {
  readonly scenario: object;
  readonly fault: object;
  readonly subject: object;
}

/** The sum of the terms, in milliseconds. @throws RangeError where one is no duration */
export function sumOfTerms(terms: readonly DurationTerm[], parts: TermParts): number {
  return terms.reduce((sum, { of, field }) => sum + parseDuration(String(valueAt(parts[of], field))), 0);
}

/**
 * The same sum in CEL, for a scenario `s` of a spec `self`: what the API server checks is what
 * the operator reckons with. A fault whose member is left out takes the defaults of its schema.
 */
export function sumInCel(
  terms: readonly DurationTerm[],
  fault: { readonly member: string; readonly schema: z.ZodType<object, object> },
  subjectMember: string,
): string {
  return termsInCel(terms, fault, subjectMember)
    .map((term) => `duration(${term})`)
    .join(' + ');
}

/** The terms themselves in CEL: strings that may be no durations, see {@link ifDurations}. */
export function termsInCel(
  terms: readonly DurationTerm[],
  fault: { readonly member: string; readonly schema: z.ZodType<object, object> },
  subjectMember: string,
): string[] {
  const defaults = fault.schema.parse({});
  return terms.map(({ of, field }) => {
    if (of === 'scenario') return `s.${field}`;
    if (of === 'subject') return `self.subject.${subjectMember}.${field}`;
    return fieldInCel(fault.member, field, String(valueAt(defaults, field)));
  });
}

/** A parameter of a fault in CEL, of a scenario `s`; a string default where the whole member is left out. */
export function fieldInCel(member: string, field: string, byDefault: string | number): string {
  const literal = typeof byDefault === 'number' ? String(byDefault) : `'${byDefault}'`;
  return `(has(s.${member}) ? s.${member}.${field} : ${literal})`;
}

function valueAt(part: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], part);
}

/**
 * A rule that holds its tongue where one of the durations it reckons with is none: the field's own
 * rule says so already, and an evaluation error beside it would only confuse.
 */
export function ifDurations(fields: readonly string[], rule: string): string {
  const invalid = fields.map((field) => `!${field}.matches('${DURATION_PATTERN.source}')`);
  return [...invalid, `(${rule})`].join(' || ');
}
