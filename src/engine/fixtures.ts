/** Names of what a run sets up on its subject. It stays there until it expires. */
import type { ChaosDemo } from '../api/index.ts';
import type { Context } from './context.ts';

/** The first part of all names. */
const PREFIX = 'demo-chaos-key';

/**
 * `<prefix>-<part of the uid>-<run>-<scenario>-<session>`, with the attempt from the second on. A name is never reused:
 * requests sent to it by a previous process or attempt still count.
 * @param since when the session began; milliseconds since the epoch
 */
export function fixtureName(
  demo: ChaosDemo,
  run: number,
  scenario: string,
  attempt: number,
  since: number,
): string {
  const base = `${beginOf(demo)}${run}-${scenario}-${sessionMark(since)}`;
  return attempt === 1 ? base : `${base}-${attempt}`;
}

function sessionMark(since: number): string {
  return Math.floor(since).toString(36);
}

/** The part that the names of one object have in common. */
function beginOf({ metadata }: ChaosDemo): string {
  return `${PREFIX}-${metadata.uid.slice(0, 8)}-`;
}

/**
 * The name of a session's fixture for its controls: no other session of the run uses it, and no scenario can have this
 * name.
 * @param since when the session began; milliseconds since the epoch
 */
export function controlName(demo: ChaosDemo, run: number, since: number): string {
  return `${beginOf(demo)}${run}-${CONTROL}${sessionMark(since)}`;
}

/** Names of scenarios cannot begin with a hyphen. */
const CONTROL = '-control-';

/**
 * The fixtures of the faults of a run. Ignores names that {@link fixtureName} cannot have created for this object: anyone
 * with write access to the status could otherwise name what is of others.
 */
export function fixturesOf({ demo, draft }: Pick<Context, 'demo' | 'draft'>): string[] {
  const begin = beginOf(demo);
  const names = (draft.scenarios ?? []).flatMap(({ fault }) => fault?.fixture ?? []);
  return names.filter(
    (name) => name.startsWith(begin) && /^\d{1,10}-[a-z0-9-]{1,64}$/.test(name.slice(begin.length)),
  );
}
