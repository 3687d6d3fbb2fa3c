/**
 * The run key identifies the spec of a run. Two specs with the same key request the same run; a spec whose key differs
 * from the last run's starts a new one.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type ChaosDemoSpec, SCENARIO_DEFAULTS, scenariosOf, subjectPart } from './spec.ts';
import { type Schema, structural } from './structural.ts';
import type { SubjectApi } from './subject-api.ts';

/**
 * Version of the hash. Raised when its input changes, so that a newer operator recognises an older key and adopts the
 * object without running it.
 */
const RUN_KEY_VERSION = 'v4';

/**
 * The key of a spec: a version and a SHA-256 (first 160 bits) over runId, the subject's part without the fields
 * that start no run, and the scenarios.
 *
 * Values equal to their default are excluded, so a field that a later version adds with a default leaves the keys of
 * existing objects alone.
 */
export function runKey(spec: ChaosDemoSpec, subject: SubjectApi): string {
  const part = without(subjectPart(spec, subject.member), subject.fieldsThatStartNoRun);
  const relevant = {
    runId: spec.runId === '' ? undefined : spec.runId,
    [subject.member]: difference(part, defaultsOf(subject)),
    scenarios: scenariosOf(spec, subject).map(({ name, type, expect, countdown, ...members }) => {
      const fault = subject.faults.find((candidate) => candidate.type === type);
      return {
        name,
        type,
        ...(difference({ expect, countdown }, SCENARIO_DEFAULTS) as object),
        parameters: fault && difference(members[fault.member], defaultsOf(fault)),
      };
    }),
  };
  const hash = createHash('sha256').update(canonical(relevant)).digest('hex');
  return `${RUN_KEY_VERSION}:${hash.slice(0, 40)}`;
}

/** Whether two keys were made by the same version of the hash and so can be compared. */
export function comparableKeys(a: string, b: string): boolean {
  return a.split(':', 1)[0] === b.split(':', 1)[0];
}

type Json = unknown;

/** Cached by schema, since computing them is expensive. */
const DEFAULTS = new WeakMap<object, Json>();

/** The defaults of a part of a spec that sets only its required fields. */
function defaultsOf(owner: { readonly schema: z.ZodType }): Json {
  const known = DEFAULTS.get(owner.schema);
  if (known !== undefined) return known;
  const made = defaultsIn(structural(owner.schema)) ?? {};
  DEFAULTS.set(owner.schema, made);
  return made;
}

/** The defaults in a structural schema, at every depth. */
function defaultsIn(schema: Schema): Json {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const below = Object.entries(properties).flatMap(([name, member]) => {
    const value = defaultsIn(member);
    return value === undefined ? [] : [[name, value] as const];
  });
  const byDefault = schema['default'];
  if (below.length === 0) return byDefault;
  return { ...Object.fromEntries(below), ...(isRecord(byDefault) ? byDefault : {}) };
}

function without(part: Json, fields: readonly string[]): Json {
  if (!isRecord(part)) return part;
  return Object.fromEntries(Object.entries(part).filter(([name]) => !fields.includes(name)));
}

/**
 * `value` without members that are undefined or equal to those of `base`, at every depth; undefined if nothing is left.
 * An empty object that `base` lacks stays: that it is there may be all that it states.
 */
function difference(value: Json, base: Json): Json {
  if (!isRecord(value)) return canonical(value) === canonical(base) ? undefined : value;
  const entries = Object.entries(value).flatMap(([name, member]) => {
    const rest = difference(member, isRecord(base) ? base[name] : undefined);
    return rest === undefined ? [] : [[name, rest] as const];
  });
  return entries.length === 0 && base !== undefined ? undefined : Object.fromEntries(entries);
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with the members of every object sorted by name. */
function canonical(value: Json): string {
  return (
    JSON.stringify(value, (_, member: Json) =>
      isRecord(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? 'undefined'
  );
}
