/** Pieces that the schemas of the envelope and of the subjects are made of. */
import { z } from 'zod';
import { DURATION_PATTERN } from './duration.ts';
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
 * A rule that holds if one of its durations is not one: the rule of that field reports it already, and an evaluation
 * error next to it would only confuse.
 */
export function ifDurations(fields: readonly string[], rule: string): string {
  const invalid = fields.map((field) => `!${field}.matches('${DURATION_PATTERN.source}')`);
  return [...invalid, `(${rule})`].join(' || ');
}
