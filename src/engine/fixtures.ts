/** Names of what a run sets up on its subject, and their record in the journal. */
import type { ChaosDemoStatus } from '../api/index.ts';
import { LIMITS } from '../api/index.ts';
import { type Context, type Demo, journalOf } from './context.ts';
import { isRunActive } from './fault-times.ts';

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
 * Records a fixture before it is set up, so that a successor can remove it. If there are too many, drops the first: a
 * run taken over that often has long used others.
 */
export function noteFixture(context: Context, name: string): void {
  if (!context.subject.keepsFixtures(context.demo.spec)) return;
  const journal = journalOf(context);
  const noted = journal.fixtures ?? [];
  if (noted.includes(name)) return;
  journal.fixtures = [...noted, name].slice(-LIMITS.fixtures);
}

/** An object, and a status of it. */
interface WithFixtures {
  readonly demo: Pick<Demo, 'uid'>;
  readonly draft: ChaosDemoStatus;
}

/**
 * Every fixture that the run has created on the subject, or may have. Ignores names that {@link fixtureName} cannot
 * have created for this object: anyone with write access to the status could otherwise have fixtures of others removed.
 */
export function fixturesToRemove({ demo, draft }: WithFixtures): string[] {
  const { journal: { fixtures = [] } = {}, scenarios = [] } = draft;
  const names = new Set([...scenarios.flatMap(({ fault }) => fault?.fixture ?? []), ...fixtures]);
  return [...names].filter((name) => isOwn(demo, name));
}

/**
 * Whether an active run has something to remove from the subject before its object may be deleted: from before its
 * first fixture, a control, is set up until the run has ended.
 */
export function hasFixtures({ demo, draft }: WithFixtures): boolean {
  return isRunActive(draft) && (draft.journal?.fixtures ?? []).some((name) => isOwn(demo, name));
}

function isOwn({ uid }: Pick<Demo, 'uid'>, name: string): boolean {
  const [prefix = '', made, ...more] = name.split(markOf(uid));
  const own = made !== undefined && more.length === 0;
  return own && /^[a-z0-9-]{1,64}$/.test(prefix) && /^\d{1,10}-[a-z0-9-]{1,64}$/.test(made);
}
