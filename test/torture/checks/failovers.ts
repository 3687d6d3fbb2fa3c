/**
 * Failovers, by the logs of the Sentinels and what passed the proxies before them: at most one for each run, only one
 * that was announced and is due, and none that the status denies.
 */
import type { ChaosDemo, FaultStatus } from '../../../src/api/index.ts';
import { isFailover } from '../proxies/redis-proxy.ts';
import type { FailoverSeen } from '../record.ts';
import { slack, stepsBetween } from './delays.ts';
import type { Seen, Wrong } from './seen.ts';

/** The observer reads a log this late at most. */
const LATE_MS = 250;
/** Times in a status are whole milliseconds. */
const ROUNDED_MS = 20;

export function checkFailovers(seen: Seen): Wrong[] {
  if (seen.plan.mode !== 'failover') return [];
  return [...checkCommands(seen), ...checkSwitches(seen), ...checkProof(seen), ...checkEnd(seen)];
}

function wrongAt({ lane }: Seen, at: number, message: string): Wrong {
  return { check: 'failovers', lane, at, message };
}

/** All faults that were ever announced, in that order, each as it was seen last. */
function announcedIn({ lane, record }: Seen): FaultStatus[] {
  const faults = record.of('version', lane).flatMap(({ object }) => faultOf(object) ?? []);
  return [...new Map(faults.map((fault) => [fault.id, fault])).values()];
}

function faultOf({ status }: ChaosDemo): FaultStatus | undefined {
  return status?.scenarios?.[0]?.fault;
}

function acceptedIn({ lane, record }: Seen): FailoverSeen[] {
  return record.of('failover', lane).filter(({ what }) => what === 'accepted');
}

/** The switches, each by the first Sentinel that reported it. */
function switchesIn({ lane, record }: Seen): FailoverSeen[] {
  const switches = record.of('failover', lane).filter(({ what }) => what === 'switched');
  const bySentinel = [...Map.groupBy(switches, ({ sentinel }) => sentinel).values()];
  return bySentinel.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** When the status first showed that the run is being stopped or has ended, or the object was gone. */
function endedAt({ lane, name, record }: Seen): number {
  const end = record
    .of('version', lane)
    .filter(({ object }) => object.metadata.name === name)
    .find(
      ({ object: { status }, type }) =>
        type === 'DELETED' ||
        status?.journal?.stoppingSince !== undefined ||
        status?.run?.completedAt !== undefined,
    );
  return end?.at ?? Number.POSITIVE_INFINITY;
}

function checkCommands(seen: Seen): Wrong[] {
  const { lane, record } = seen;
  const sent = record.of('sent', lane).filter(isFailover);
  const passed = sent.filter(({ passedAt }) => passedAt !== undefined);
  const accepted = acceptedIn(seen);
  const wrong: Wrong[] = [];
  const add = (at: number, message: string): void => void wrong.push(wrongAt(seen, at, message));
  const [, second] = sent;
  if (second) add(second.at, `${sent.length} commands for a failover were sent in one run`);
  if (accepted.length > passed.length) {
    add(
      accepted[0]?.at ?? 0,
      `Sentinels accepted ${accepted.length} commands, and ${passed.length} were sent`,
    );
  }
  const faults = announcedIn(seen);
  const [last] = record.of('version', lane).slice(-1);
  const kept = last && faultOf(last.object);
  const end = endedAt(seen);
  for (const { at, passedAt } of sent) {
    const fault = faults.findLast(({ plannedAt }) => Date.parse(plannedAt) <= at + ROUNDED_MS);
    if (!fault) add(at, 'a failover was sent, and none was announced that was due');
    else if (Date.parse(fault.until) < at) add(at, `a failover was sent after the end of ${fault.id}`);
    // A fault that is dropped was not injected, as the status has it.
    else if (passedAt !== undefined && accepted.length > 0 && fault.id !== kept?.id) {
      add(at, `the failover of ${fault.id} was sent, and the status has dropped that`);
    }
    if (at > end) add(at, `a failover was sent ${Math.round(at - end)} ms after the end of the run was seen`);
  }
  return wrong;
}

function checkSwitches(seen: Seen): Wrong[] {
  const [accepted, switches] = [acceptedIn(seen), switchesIn(seen)];
  if (switches.length <= accepted.length) return [];
  const at = switches[accepted.length]?.at ?? 0;
  return [
    wrongAt(
      seen,
      at,
      `Sentinels switched ${switches.length} times, and accepted ${accepted.length} commands`,
    ),
  ];
}

function checkProof(seen: Seen): Wrong[] {
  const { lane, record } = seen;
  return announcedIn(seen).flatMap((fault) => {
    const { id, plannedAt, proof } = fault;
    const at = Date.parse(plannedAt);
    const wrong = (message: string): Wrong => wrongAt(seen, at, `${id} is ${proof}, and ${message}`);
    const [command] = acceptedIn(seen);
    if (proof !== 'Confirmed') return [];
    const [switched] = switchesIn(seen);
    if (!command || !switched) return [wrong('Sentinels made none')];
    const startedAt = Date.parse(fault.startedAt ?? plannedAt);
    const late = LATE_MS + slack(record, command.at);
    const disturbed =
      stepsBetween(record, startedAt, command.at, lane, ['operator', 'redis-link']).length > 0;
    const after = command.at - startedAt;
    if (after < -ROUNDED_MS || (after > late && !disturbed)) {
      return [wrong(`Sentinel accepted it ${Math.round(after)} ms after startedAt`)];
    }
    return [];
  });
}

/** A fault that has ended before its time has no effect that is yet to come, whatever is proven of it. */
function checkEnd(seen: Seen): Wrong[] {
  const [command, switched] = [acceptedIn(seen)[0], switchesIn(seen)[0]];
  if (!command || !switched) return [];
  const late = LATE_MS + slack(seen.record, command.at);
  return announcedIn(seen).flatMap(({ endedAt: end, id, plannedAt, until }) => {
    const isOfCommand = Date.parse(plannedAt) <= command.at + ROUNDED_MS && command.at < Date.parse(until);
    if (!isOfCommand || end === undefined || Date.parse(end) >= Date.parse(until)) return [];
    const after = Math.round(switched.at - Date.parse(end));
    return after > late
      ? [wrongAt(seen, Date.parse(end), `${id} has ended, and Sentinels switched ${after} ms later`)]
      : [];
  });
}
