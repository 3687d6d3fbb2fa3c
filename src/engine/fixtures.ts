/** Names of what a run sets up on its subject. It stays there until it expires. */
import type { Context, Demo } from './context.ts';

/** Distinguishes one fixture of a scenario from every other that the run may set up. */
export interface FixtureTurn {
  readonly attempt: number;
  /** Counts the preparations of the same attempt, from 1. */
  readonly sequence: number;
  /** When the session began; milliseconds since the epoch. */
  readonly since: number;
}

/**
 * `<prefix>-<part of the uid>-<run>-<scenario>-<session>`, with attempt and sequence unless both are 1. A name is never
 * reused: requests sent to it by a previous process or preparation still count.
 */
export function fixtureName(
  prefix: string,
  uid: string,
  run: number,
  scenario: string,
  { attempt, sequence, since }: FixtureTurn,
): string {
  const base = `${prefix}${markOf(uid)}${run}-${scenario}-${sessionMark(since)}`;
  return attempt === 1 && sequence === 1 ? base : `${base}-${attempt}-${sequence}`;
}

function sessionMark(since: number): string {
  return Math.floor(since).toString(36);
}

/** The part of a fixture's name that is unique to one object. */
function markOf(uid: string): string {
  return `-${uid.slice(0, 8)}-`;
}

/**
 * The name of a session's fixture for its controls: no other session of the run uses it, and no scenario can have this
 * name.
 * @param since when the session began; milliseconds since the epoch
 */
export function controlName(prefix: string, uid: string, run: number, since: number): string {
  return `${prefix}${markOf(uid)}${run}-${CONTROL}${sessionMark(since)}`;
}

/** Names of scenarios cannot begin with a hyphen. */
const CONTROL = '-control-';

/**
 * The fixtures of the faults of a run. Ignores names that {@link fixtureName} cannot have created for this object: anyone
 * with write access to the status could otherwise name what is of others.
 */
export function fixturesOf({ demo, draft }: Pick<Context, 'demo' | 'draft'>): string[] {
  const names = (draft.scenarios ?? []).flatMap(({ fault }) => fault?.fixture ?? []);
  return names.filter((name) => isOwn(demo, name));
}

function isOwn({ uid }: Pick<Demo, 'uid'>, name: string): boolean {
  const [prefix = '', made, ...more] = name.split(markOf(uid));
  const own = made !== undefined && more.length === 0;
  return own && /^[a-z0-9-]{1,64}$/.test(prefix) && /^\d{1,10}-[a-z0-9-]{1,64}$/.test(made);
}
