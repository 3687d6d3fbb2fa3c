/**
 * The run key: what a run was started for. Two specs with the same key ask for
 * the same run; a spec whose key differs from the last run's starts a new one.
 */
import { createHash } from 'node:crypto';
import type { ChaosDemoSpec } from './spec.ts';
import { counterDriftOf, ghostAllowingOf, specSchema } from './spec.ts';

/**
 * Version of the hash. Raised when what goes into it changes, so that a newer
 * operator recognises an older key and adopts the object without running it.
 */
export const RUN_KEY_VERSION = 'v1';

/**
 * The key of a spec: a version and a SHA-256 (first 160 bits) over runId,
 * dryRun, the subject without displayName and health, and the scenarios.
 *
 * Values equal to their default do not take part, so a field that a later
 * version adds with a default leaves the keys of existing objects alone.
 */
export function runKey(spec: ChaosDemoSpec): string {
  const limiter = spec.subject.rateLimiter;
  const subject = { type: spec.subject.type, rateLimiter: limiter && { ...limiter, health: undefined } };
  const scenarios = spec.scenarios.map((scenario) => ({
    ...scenario,
    counterDrift: scenario.type === 'CounterDrift' ? counterDriftOf(scenario) : undefined,
    ghostAllowing: scenario.type === 'GhostAllowing' ? ghostAllowingOf(scenario) : undefined,
  }));
  const relevant = { runId: spec.runId, dryRun: spec.dryRun, subject, scenarios };
  const hash = createHash('sha256')
    .update(canonical(withoutDefaults(relevant)))
    .digest('hex');
  return `${RUN_KEY_VERSION}:${hash.slice(0, 40)}`;
}

/** Whether two keys were made by the same version of the hash and so can be compared. */
export function comparableKeys(a: string, b: string): boolean {
  return a.split(':', 1)[0] === b.split(':', 1)[0];
}

type Json = unknown;

/** What a spec gets that says nothing but what it must; made once, since parsing is the dear part. */
const BARE = (() => {
  const bare = specSchema.parse({
    subject: { rateLimiter: { selector: { matchLabels: {} }, redis: { service: { name: 'redis' } } } },
  });
  const { selector: _, ...rateLimiter } = bare.subject.rateLimiter ?? { selector: undefined };
  const scenario = { name: 'x', type: 'CounterDrift' as const, expect: 'Detected' as const, countdown: '3s' };
  return {
    run: { runId: bare.runId, dryRun: bare.dryRun, subject: { type: bare.subject.type, rateLimiter } },
    scenario: {
      expect: scenario.expect,
      countdown: scenario.countdown,
      counterDrift: counterDriftOf(scenario),
      ghostAllowing: ghostAllowingOf(scenario),
    },
  };
})();

/** The relevant part with everything dropped that equals what a bare spec gets. */
function withoutDefaults({ scenarios, ...run }: { scenarios: object[] }): Json {
  return {
    run: difference(run, BARE.run),
    scenarios: scenarios.map((scenario) => difference(scenario, BARE.scenario)),
  };
}

/** `value` without the members that are undefined or equal to those of `base`, at every depth. */
function difference(value: Json, base: Json): Json {
  if (!isRecord(value)) return value;
  const result: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const baseMember = isRecord(base) ? base[name] : undefined;
    if (canonical(member) === canonical(baseMember)) continue;
    const rest = difference(member, baseMember);
    if (isRecord(rest) && Object.keys(rest).length === 0) continue;
    result[name] = rest;
  }
  return result;
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with the members of every object in order of their names. */
function canonical(value: Json): string {
  return (
    JSON.stringify(value, (_, member: Json) =>
      isRecord(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? 'undefined'
  );
}
