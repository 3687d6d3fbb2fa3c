/** Building blocks for the schemas of the envelope and of the subjects. */

import { DURATION_PATTERN } from '@chaosdemo/settings/duration';
import { z } from 'zod';
import type { CelRule } from './subject-api.ts';

/** Rules in CEL, for `.meta()`. */
export const cel = (...rules: CelRule[]) => ({ 'x-kubernetes-validations': rules });

/** A duration between two bounds, both included. Chain the default, if any, after it. */
export function durationField(description: string, min: string, max: string) {
  return z
    .string()
    .regex(DURATION_PATTERN)
    .max(24)
    .meta({
      description: `${description} A duration from ${min} to ${max}.`,
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
 * Skips the rule when a duration is malformed: the field's own rule reports that already, and an evaluation error next
 * to it would only confuse.
 */
export function ifDurations(fields: readonly string[], rule: string): string {
  const invalid = fields.map((field) => `!${field}.matches('${DURATION_PATTERN.source}')`);
  return [...invalid, `(${rule})`].join(' || ');
}
