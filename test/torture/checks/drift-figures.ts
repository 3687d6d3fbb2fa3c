/** Compares a status of a pause and of the drift with what Redis and the proxies of the nodes show. */
import type { FaultStatus } from '../../../src/api/index.ts';
import { LIMIT } from '../settings.ts';
import { answersTo, outside, type Range, together } from './answers.ts';
import { slack, stepsBetween } from './delays.ts';
import { LATE_MS, type PauseSeen, pausesOf } from './pauses.ts';
import type { Reported } from './reported.ts';

/** Samples lie so far apart, and an answer takes its time. */
const EDGE_MS = 100;
/** The clocks of two processes of one machine are apart by so much. */
const CLOCKS_MS = 20;
const SETTLE_MS = 1000;
/** Where the held write was lost, the end is said to be at the latest when a new connection had a write taken. */
const CONNECT_MS = 1000;
/** A write that was held back for less may have been late without a pause. */
const HELD_MS = 100;

export function driftFigures(reported: Reported): string[] {
  const { fault } = reported.scenario;
  if (!fault) return [];
  const pause = pauseOf(reported, fault);
  return [...checkTimes(reported, pause), ...checkTraffic(reported), ...checkResult(reported, pause)];
}

/** The pause that was made for this fault. */
export function pauseOf({ seen }: Reported, fault: FaultStatus): PauseSeen | undefined {
  const [plannedAt, until] = [Date.parse(fault.plannedAt), Date.parse(fault.until)];
  return pausesOf(seen)
    .filter(({ sent }) => sent.at >= plannedAt - EDGE_MS && sent.at <= until + EDGE_MS)
    .toSorted((a, b) => Math.abs(a.sent.at + a.ms - until) - Math.abs(b.sent.at + b.ms - until))[0];
}

/** What a status says of the start, the proof and the end of a pause. */
export function checkTimes(
  { scenario: { evidence = [], fault }, seen }: Reported,
  pause: PauseSeen | undefined,
): string[] {
  const { lane, record } = seen;
  if (!fault) return [];
  const wrong: string[] = [];
  if (fault.proof === 'Confirmed') {
    if (!pause) return ['Confirmed, and no pause for it was seen'];
    const held = record
      .of('write', lane)
      .some(({ at, tookMs }) => tookMs >= HELD_MS && at + tookMs > pause.from && at < pause.end);
    if (!held) wrong.push('Confirmed, and no write of the observer was held back');
  }
  if (!pause || fault.startedAt === undefined) return wrong;
  const disturbed = (from: number, to: number): boolean =>
    stepsBetween(record, from, to, lane, ['operator', 'redis', 'redis-link']).length > 0;
  const startedAt = Date.parse(fault.startedAt);
  const { answeredAt = Infinity } = pause.sent;
  if (startedAt < pause.from - CLOCKS_MS) {
    wrong.push(`startedAt is ${Math.round(pause.from - startedAt)} ms before Redis was given the command`);
  }
  if (startedAt > answeredAt + LATE_MS + slack(record, startedAt) && !disturbed(pause.from, startedAt)) {
    wrong.push(`startedAt is ${Math.round(startedAt - answeredAt)} ms after Redis said OK`);
  }
  // If the end was not seen, the planned one is reported.
  if (fault.endedAt === undefined || fault.endedAt === fault.until) return wrong;
  const endedAt = Date.parse(fault.endedAt);
  const earliest = Math.min(pause.from + pause.ms, pause.end);
  if (endedAt < earliest - EDGE_MS - slack(record, endedAt)) {
    wrong.push(`endedAt is ${Math.round(earliest - endedAt)} ms before the end of the pause`);
  }
  // Redis may be late, and then the observer has felt that as well.
  const felt = record
    .of('write', lane)
    .filter(({ at, tookMs }) => at < pause.end && at + tookMs > pause.end)
    .map(({ at, tookMs }) => at + tookMs);
  const end = Math.max(pause.end, ...felt);
  const lost = evidence.some((line) => line.startsWith('The connection of the held write was lost'));
  const late = LATE_MS + (lost ? CONNECT_MS : 0) + slack(record, endedAt);
  if (endedAt > end + late && !disturbed(pause.end, endedAt)) {
    wrong.push(`endedAt is ${Math.round(endedAt - end)} ms after writes were taken again`);
  }
  return wrong;
}

function checkTraffic({ key, scenario, seen }: Reported): string[] {
  const { lane, record } = seen;
  const { fault, measures = {} } = scenario;
  const { requests } = measures;
  if (!fault || key === undefined || requests === undefined) return [];
  const checks = record.of('check', lane).filter((check) => check.key === key);
  const over = Date.parse(fault.endedAt ?? fault.until) + SETTLE_MS;
  const { errors, requests: came, ...answers } = answersTo(checks, record, lane, over);
  const { admittedInTime, rejected } = answers;
  // A request that a pod could not decide on was not admitted either.
  const notAdmitted = together(rejected, errors);
  const from = Date.parse(fault.startedAt ?? fault.plannedAt);
  // What a connection that was cut carried may never have come to a proxy, or be taken back.
  const cut = stepsBetween(record, from, over, lane, ['node-link', 'node', 'operator']).length > 0;
  // The last of it comes after the end of the fault, where deciding to stop it takes its time.
  const within = checks.filter(({ at }) => at < over - SETTLE_MS).length;
  const sent = cut
    ? { least: admittedInTime.least + notAdmitted.least, most: Infinity }
    : { least: within, most: came };
  // An operator that took over knows no more than what was stored when the drift was detected.
  const partly = stepsBetween(record, from, ended(seen), lane, ['operator', 'api', 'api-server']).length > 0;
  const known = (range: Range): Range => (partly ? { ...range, least: 0 } : range);
  return [
    outside('requests', requests, known(sent)),
    outside('admitted', measures['admitted'], known(admittedInTime)),
    outside('rejected', measures['rejected'], known(rejected)),
    outside('errors', measures['errors'], known(errors)),
    outside('timeouts', measures['timeouts'], {
      least: 0,
      most: requests - known(admittedInTime).least - known(notAdmitted).least,
    }),
  ].filter((line) => line !== undefined);
}

/** When the last version of the object was seen. */
function ended({ lane, name, record }: Reported['seen']): number {
  return record.of('version', lane).findLast(({ object }) => object.metadata.name === name)?.at ?? Infinity;
}

function checkResult({ key, scenario, seen }: Reported, pause: PauseSeen | undefined): string[] {
  const { lane, record } = seen;
  const { bounds, measures, result } = scenario;
  const [drift, bound] = [measures?.['drift'], bounds?.['drift']];
  if (key === undefined || drift === undefined || bound === undefined) return [];
  const checks = record.of('check', lane).filter((check) => check.key === key && check.allowed === true);
  const wrong: string[] = [];
  if (drift > checks.length || drift > LIMIT * 3) {
    wrong.push(`drift is said to be ${drift}, and the nodes admitted ${checks.length}`);
  }
  if (result === 'Violated' && drift <= bound) {
    wrong.push(`Violated, with drift ${drift} where ${bound} is allowed`);
  }
  if (result === 'Held' && drift > bound) {
    wrong.push(`Held, with drift ${drift} where ${bound} is allowed`);
  }
  if (!pause) return wrong;
  if (result === 'Violated') {
    const wide = EDGE_MS + slack(record, pause.from, pause.end);
    const [from, to] = [pause.from - wide, pause.end + LATE_MS + wide];
    const most = checks.filter(
      ({ nodeAt = Infinity, passedAt = 0 }) => nodeAt > from && passedAt < to,
    ).length;
    if (most <= bound) wrong.push(`Violated, and while writes were held back the nodes admitted ${most}`);
  }
  const killed = stepsBetween(record, pause.from, pause.end + SETTLE_MS, lane, ['node', 'redis']).length > 0;
  if (result === 'Held' && !killed) {
    const narrow = EDGE_MS + slack(record, pause.from, pause.end);
    const [from, to] = [pause.to + narrow, pause.from + pause.ms - narrow];
    const least = checks.filter(({ nodeAt = 0 }) => nodeAt > from && nodeAt < to).length;
    if (pause.end >= pause.to + pause.ms && least > bound) {
      wrong.push(`Held, and while writes were held back the nodes admitted ${least}`);
    }
  }
  return wrong;
}
