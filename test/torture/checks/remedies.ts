/**
 * Remedies: one at most for each that was announced, none that was not, none on another key, none of another limit than that of
 * the spec, none by a process that did not announce it or after its reported end, and nothing of it left.
 */
import type { LimitSeen } from '../record.ts';
import { LIMIT, NODES, TIMEOUT_MS, WINDOW_SEC } from '../settings.ts';
import { slack, stepsBetween } from './delays.ts';
import { type RemedySeen, remediationIn, remediesOf, versionsOf } from './remedies-seen.ts';
import { checkRemedyReports } from './remedy-reports.ts';
import type { Seen, Wrong } from './seen.ts';

/** What is on its way when a process ends is read so much later, and answers of a node come in another order. */
const ON_ITS_WAY_MS = 100;
/** The operator has an answer so long after the proxy has handed it on, and may have given up before. */
const MARGIN_MS = 250;

export function checkRemedies(seen: Seen): Wrong[] {
  const remedies = remediesOf(seen);
  const wrong = [
    ...checkKeys(seen, remedies),
    ...remedies.flatMap((remedy) => [
      ...checkLimits(remedy),
      ...checkOnce(seen, remedy),
      ...checkSender(seen, remedy),
      ...checkRemoved(seen, remedy),
    ]),
  ].map(({ at, message }) => ({ check: 'remedies', lane: seen.lane, at, message }));
  return [...wrong, ...checkRemedyReports(seen, remedies)];
}

type Found = Pick<Wrong, 'at' | 'message'>;

function said(define: LimitSeen): string {
  return `a limit of ${define.limit} in ${define.windowSec} s was sent to node ${define.node} for ${define.key}`;
}

/** Limits are set up before a scenario uses its key. After that only a remedy sets one, on that very key. */
function checkKeys(seen: Seen, remedies: readonly RemedySeen[]): Found[] {
  const { lane, name, plan, record } = seen;
  const found: Found[] = [];
  const uids = new Set(versionsOf(seen).map(({ object }) => object.metadata.uid.slice(0, 8)));
  const own = new Set(
    versionsOf(seen).flatMap(
      ({ object }) => object.status?.scenarios?.flatMap(({ fault }) => fault?.fixture ?? []) ?? [],
    ),
  );
  const firstUse = new Map<string, number>();
  for (const { at, key } of record.of('check', lane)) if (!firstUse.has(key)) firstUse.set(key, at);
  const decidedAt = Math.min(...remedies.map(({ at }) => at));
  for (const define of record.of('limit', lane).filter(({ what }) => what === 'define')) {
    const { at, key } = define;
    if (remedies.some(({ defines }) => defines.includes(define))) continue;
    if (![...uids].some((uid) => key.includes(`-${uid}-`))) {
      found.push({ at, message: `${said(define)}, which is no key of ${name}` });
    } else if (own.has(key) && at > (firstUse.get(key) ?? Infinity)) {
      found.push({ at, message: `${said(define)}, which was in use, and no remedy was announced for it` });
    } else if (at > decidedAt) {
      found.push({ at, message: `${said(define)} after remedies were announced, and none is for it` });
    } else if (own.has(key) && (define.limit !== LIMIT || define.windowSec !== WINDOW_SEC)) {
      found.push({ at, message: `${said(define)}, and the spec says ${LIMIT} in ${WINDOW_SEC} s` });
    }
  }
  if (plan.resets) return found;
  return [
    ...found,
    ...remedies.map(({ at, id }) => ({ at, message: `${id} was announced, and the spec allows none` })),
  ];
}

/** The limit of the spec, and no other. */
function checkLimits({ defines }: RemedySeen): Found[] {
  return defines
    .filter(({ limit, windowSec }) => limit !== LIMIT || windowSec !== WINDOW_SEC)
    .map((define) => ({ at: define.at, message: `${said(define)}, and a reset sets ${LIMIT}` }));
}

/**
 * No node gets a second request. The next node gets one if a node refuses, cannot be reached or breaks off. After an
 * answer or a timeout, no more are sent.
 */
function checkOnce(seen: Seen, { checks, defines, id }: RemedySeen): Found[] {
  const found = checkSentOnce(seen, defines, id);
  if (checks.length > NODES) {
    const message = `${checks.length} requests measured ${id}, and ${NODES} are enough`;
    found.push({ at: checks[NODES]?.at ?? 0, message });
  }
  const early = checks.find(({ at }) => at < (defines[0]?.at ?? Infinity));
  if (early)
    found.push({ at: early.at, message: `${early.key} was checked for ${id} before its limit was set` });
  return found;
}

function checkSentOnce(seen: Seen, defines: readonly LimitSeen[], id: string): Found[] {
  const found: Found[] = [];
  const last = defines.at(-1);
  const nodes = new Set(defines.map(({ node }) => node));
  if (last && (defines.length > NODES || nodes.size < defines.length)) {
    const message = `${defines.length} limits were sent to ${nodes.size} nodes for ${id}, which was announced once`;
    found.push({ at: last.at, message });
  }
  const silent = defines.find((define) => isSilent(seen, define, last?.at ?? define.at));
  if (last && silent) {
    const message = `another limit was sent for ${id} to node ${last.node}, and node ${silent.node} may yet carry out the one that it has not answered`;
    found.push({ at: last.at, message });
  }
  const known = defines.find((define) => isKnown(seen, define));
  const second = known && defines.find(({ at }) => at > (known.answeredAt ?? Infinity));
  if (known && second) {
    const after = Math.round(second.at - (known.answeredAt ?? 0));
    found.push({
      at: second.at,
      message: `a second limit was sent for ${id} ${after} ms after the first was set`,
    });
  }
  return found;
}

/** Whether it was passed on, and its sender saw no end of it until then: no answer, and no lost connection. */
function isSilent({ lane, record }: Seen, define: LimitSeen, until: number): boolean {
  const { answeredAt = Infinity, at, brokenOff, node, passedAt = Infinity } = define;
  if (passedAt >= until || answeredAt < until || brokenOff) return false;
  return !stepsBetween(record, at, until, lane, ['node', 'node-link']).some(
    ({ step: { action } }) =>
      'node' in action && action.node === node && (action.what === 'cut' || action.what === 'kill'),
  );
}

/** Whether its sender knows for sure that the limit was set. */
function isKnown({ lane, record }: Seen, { answeredAt, at, status = 0 }: LimitSeen): boolean {
  if (status >= 300 || answeredAt === undefined) return false;
  const learnedAt = answeredAt + MARGIN_MS + slack(record, at, answeredAt);
  if (learnedAt > at + TIMEOUT_MS) return false;
  return stepsBetween(record, at, learnedAt, lane, ['node-link', 'operator']).length === 0;
}

/** Its sender must be the process that announced it, before that ended, and before an outcome was reported. */
function checkSender(seen: Seen, remedy: RemedySeen): Found[] {
  const { defines, id, replica, scenario, until } = remedy;
  const endedAt = endOf(seen, remedy);
  const reportedAt =
    versionsOf(seen).find(({ object }) => {
      const { state } = remediationIn(object.status, scenario) ?? {};
      return state !== undefined && state !== 'Suggested' && state !== 'Applying';
    })?.at ?? Infinity;
  return defines.flatMap((define) => {
    const { at } = define;
    const sentAt = at - ON_ITS_WAY_MS - slack(seen.record, at);
    const messages: string[] = [];
    if (sentAt > endedAt) messages.push(`after ${replica}, which had announced ${id}, had ended`);
    if (sentAt > reportedAt) messages.push(`after the status had reported the outcome of ${id}`);
    if (sentAt > until) messages.push(`${Math.round(at - until)} ms after ${id} was to be given up`);
    return messages.map((message) => ({ at, message: `${said(define)} ${message}` }));
  });
}

/** When the process that announced it had ended for sure; Infinity where it did not. */
function endOf({ record }: Seen, { at: announcedAt, replica }: RemedySeen): number {
  const ends = record
    .of('step')
    .filter(({ failed, step, whom }) => !failed && step.action.to === 'operator' && whom === replica)
    .flatMap(({ at, endedAt = Infinity, step: { action } }) =>
      action.what === 'kill' ? [at] : action.what === 'restart' ? [endedAt] : [],
    );
  return Math.min(...ends.filter((end) => end > announcedAt));
}

/** A limit that a remedy set on a node is removed afterwards. */
function checkRemoved({ lane, record }: Seen, { defines, id, key }: RemedySeen): Found[] {
  const removals = record
    .of('limit', lane)
    .filter(
      ({ key: other, status = 0, what }) =>
        what === 'remove' && other === key && (status < 300 || status === 404),
    )
    .filter(({ nodeAt }) => nodeAt !== undefined);
  const last = Math.max(...removals.map(({ nodeAt = 0 }) => nodeAt));
  return defines
    .filter(({ nodeAt, status = 0 }) => nodeAt !== undefined && status < 300)
    .filter(({ nodeAt = 0 }) => nodeAt > last + ON_ITS_WAY_MS)
    .map(({ nodeAt = 0, node }) => ({
      at: nodeAt,
      message: `node ${node} set the limit of ${key} for ${id}, and nothing removed it after that`,
    }));
}
