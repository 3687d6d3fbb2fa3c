/**
 * Pauses of Redis: as many as scenarios pause it, however often their faults were announced, none for any other fault,
 * none past its end, and writes are taken whenever none is on.
 */
import type { ChaosDemo } from '../../../src/api/index.ts';
import type { OutageFault } from '../plan.ts';
import type { CommandSent, StepTaken } from '../record.ts';
import { slack, stillAround } from './delays.ts';
import type { Seen, Wrong } from './seen.ts';

/** Redis ends a pause this late at most, and the observer sees it as late again. */
export const LATE_MS = 250;
/** A command is sent with a whole number of milliseconds, at a time that has a fraction. */
const ROUNDED_MS = 20;
/** The operator lets a late answer of Redis make a pause so much longer before it releases it. */
const BORNE_MS = 1000;

/** An announced fault that pauses Redis. */
interface Announced {
  /** With the object of it. */
  readonly scenario: string;
  readonly id: string;
  readonly plannedAt: number;
  readonly until: number;
}

/** A pause as it was sent and carried out. Moments in milliseconds since the epoch. */
export interface PauseSeen {
  readonly sent: CommandSent;
  readonly ms: number;
  /** Carried out between these. */
  readonly from: number;
  readonly to: number;
  /** Active until here at the latest: by its length, its release, or a restart of Redis. */
  readonly end: number;
}

export function checkPauses(seen: Seen): Wrong[] {
  return [...checkCommands(seen), ...checkWrites(seen)];
}

/** Every pause of a lane that reached Redis. */
export function pausesOf({ lane, record }: Pick<Seen, 'lane' | 'record'>): PauseSeen[] {
  const sent = record.of('sent', lane).filter(({ args }) => /^pause$/i.test(args[1] ?? ''));
  const done = record.of('done', lane).filter(({ what }) => what === 'pause');
  const releases = record.of('done', lane).filter(({ what }) => what === 'unpause');
  const restarts = redisSteps(record, lane).filter(({ step }) => step.action.what === 'kill');
  const pauses: PauseSeen[] = [];
  const passed = sent.filter(({ passedAt }) => passedAt !== undefined);
  for (const [i, command] of passed.entries()) {
    const { passedAt: from = Infinity } = command;
    const counted = done.find(({ at }) => at >= from - 1);
    if (!counted) continue;
    // Fewer were carried out than were sent: one that is still not counted when the next one comes was not.
    const next = passed[i + 1]?.passedAt ?? Infinity;
    if (counted.at >= next && done.length < passed.length - i) continue;
    done.splice(done.indexOf(counted), 1);
    const ms = Number(command.args[2]);
    const to = Math.min(counted.at, command.answeredAt ?? Infinity);
    const cut = [...releases, ...restarts].map(({ at }) => at).filter((at) => at > from && at < to + ms);
    pauses.push({ sent: command, ms, from, to, end: Math.min(to + ms, ...cut) });
  }
  return pauses;
}

/** What was done to the Redis of this lane, and of no other. */
function redisSteps(record: Seen['record'], lane: number): StepTaken[] {
  return record.of('step').filter(({ step }) => step.action.to === 'redis' && step.lane === lane);
}

/** For one scenario with this fault. */
function mostPauses(fault: OutageFault = 'Stall'): number {
  return fault === 'Stall' || fault === 'Disconnect' ? 1 : 0;
}

function checkCommands(seen: Seen): Wrong[] {
  const { lane, plan, record } = seen;
  const wrong: Wrong[] = [];
  const add = (at: number, message: string): void => void wrong.push({ check: 'pauses', lane, at, message });
  const faults = announcedIn(record.of('version', lane));
  const sent = record.of('sent', lane).filter(({ args }) => /^pause$/i.test(args[1] ?? ''));
  const done = record.of('done', lane).filter(({ what }) => what === 'pause');
  const passed = sent.filter(({ passedAt }) => passedAt !== undefined);
  if (done.length > passed.length) {
    add(done[0]?.at ?? 0, `Redis carried out ${done.length} pauses, and ${passed.length} were sent to it`);
  }
  // By the count of Redis itself: a process that takes over may announce a second pause as another fault.
  const most = mostPauses(plan.fault) * new Set(faults.map(({ scenario }) => scenario)).size;
  if (faults.length > 0 && done.length > most) {
    add(done[most]?.at ?? 0, `Redis carried out ${done.length} pauses, and ${most} were to be`);
  }
  for (const command of sent) {
    const ms = Number(command.args[2]);
    const end = command.at + ms;
    // A pause is sent with what is left until its end.
    const fault = faults
      .filter(({ plannedAt }) => plannedAt <= command.at + ROUNDED_MS)
      .toSorted((a, b) => Math.abs(a.until - end) - Math.abs(b.until - end))[0];
    if (!fault) {
      // It may have been announced while the observer saw nothing.
      if (record.of('version', lane).some(({ afterGap }) => afterGap)) continue;
      add(command.at, `CLIENT PAUSE ${ms} was sent, and no fault was announced that was due`);
      continue;
    }
    if (end > fault.until + ROUNDED_MS + slack(record, command.at)) {
      add(
        command.at,
        `CLIENT PAUSE ${ms} was sent ${Math.round(end - fault.until)} ms too long for ${fault.id}`,
      );
    }
  }
  for (const pause of pausesOf(seen)) {
    const { answeredAt } = pause.sent;
    const late = pause.to + pause.ms - (pause.sent.at + pause.ms);
    // The process that got the answer must end a pause that lasts too long.
    if (
      late <= BORNE_MS + LATE_MS + slack(record, pause.from, pause.end) ||
      answeredAt === undefined ||
      pause.end < pause.to + pause.ms
    )
      continue;
    if (answeredAt > pause.end || stillAround(record, answeredAt, pause.end, lane)) continue;
    add(answeredAt, `a pause that began ${Math.round(late)} ms late was not released`);
  }
  return wrong;
}

/** The types of the faults that pause Redis. */
const PAUSING = new Set(['CounterDrift', 'StoreOutage']);

/** The faults that pause Redis and were ever seen announced. */
function announcedIn(versions: readonly { object: ChaosDemo }[]): Announced[] {
  const found = new Map<string, Announced>();
  for (const { object } of versions) {
    for (const { fault, name, type } of object.status?.scenarios ?? []) {
      if (!fault || !PAUSING.has(type)) continue;
      const scenario = `${object.metadata.uid} ${name}`;
      const id = `${object.metadata.uid} ${fault.id}`;
      if (found.has(id)) continue;
      const [plannedAt, until] = [Date.parse(fault.plannedAt), Date.parse(fault.until)];
      found.set(id, { scenario, id: fault.id, plannedAt, until });
    }
  }
  return [...found.values()];
}

/** Writes that were held back longer than a busy machine explains have to be held back by something that was on. */
function checkWrites(seen: Seen): Wrong[] {
  const { lane, record } = seen;
  const wrong: Wrong[] = [];
  const reasons = [
    ...pausesOf(seen).map(({ end, from }) => ({ from, to: end })),
    ...redisSteps(record, lane).map(({ at, endedAt = Infinity }) => ({ from: at, to: endedAt })),
  ].toSorted((a, b) => a.from - b.from);
  for (const { at, lost, tookMs } of record.of('write', lane)) {
    if (lost) continue;
    let unexplained = at;
    let longest = 0;
    for (const { from, to } of reasons) {
      if (to <= unexplained || from >= at + tookMs) continue;
      longest = Math.max(longest, from - unexplained);
      unexplained = Math.max(unexplained, to);
    }
    longest = Math.max(longest, at + tookMs - unexplained);
    if (longest <= LATE_MS + slack(record, at, at + tookMs)) continue;
    const message = `a write was held back for ${Math.round(longest)} ms while no pause was on`;
    wrong.push({ check: 'writes flow', lane, at: at + tookMs - longest, message });
  }
  return wrong;
}
