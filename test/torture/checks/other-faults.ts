/**
 * Faults that are no pause: no connection is ended and no port is closed outside of what was announced, and none after
 * its end.
 */

import { slack, stepsBetween } from './delays.ts';
import type { Seen, Wrong } from './seen.ts';

/** The observer sees it this late at most, and the operator hears of the end of a round of kills as late. */
const LATE_MS = 500;

/** The kills of one round are seen within this; milliseconds. */
const ROUND_MS = 25;

interface Span {
  readonly from: number;
  readonly to: number;
}

export function checkOtherFaults(seen: Seen): Wrong[] {
  return [...checkKills(seen), ...checkPort(seen)];
}

/** From the moment at which each fault was due to its end. */
function announcedIn({ lane, record }: Seen): Span[] {
  const found = new Map<string, Span>();
  for (const { object } of record.of('version', lane)) {
    for (const { fault } of object.status?.scenarios ?? []) {
      if (fault)
        found.set(`${object.metadata.uid} ${fault.id}`, {
          from: Date.parse(fault.plannedAt),
          to: Date.parse(fault.until),
        });
    }
  }
  return [...found.values()];
}

/** Each round ends the connections of all pods; before a fault, the right to do so is checked without a connection. */
function checkKills(seen: Seen): Wrong[] {
  const { lane, plan, record } = seen;
  const spans = plan.fault === 'Disconnect' ? announcedIn(seen) : [];
  const kills = record.of('done', lane).filter(({ what }) => what === 'kill');
  return kills
    .filter(
      ({ at }, i) =>
        spans.length === 0 ||
        (kills[i + 1]?.at ?? Infinity) < at + ROUND_MS ||
        at - (kills[i - 1]?.at ?? 0) < ROUND_MS,
    )
    .filter(({ at }) => !spans.some(({ from, to }) => at > from && at < to + LATE_MS + slack(record, at)))
    .map(({ at }) => ({
      check: 'kills',
      lane,
      at,
      message: 'a connection was ended, and no Disconnect was on',
    }));
}

function checkPort(seen: Seen): Wrong[] {
  const { lane, plan, record } = seen;
  const spans = plan.fault === 'Refuse' ? announcedIn(seen) : [];
  const ports = record.of('port', lane);
  const closed = ports.flatMap(({ accepts, at }, i): Span[] =>
    accepts ? [] : [{ from: at, to: ports[i + 1]?.at ?? Infinity }],
  );
  const wrong = closed
    .filter(
      ({ from, to }) =>
        stepsBetween(record, from - LATE_MS, from, lane, ['fault-proxy']).length === 0 &&
        !spans.some((span) => from > span.from && to < span.to + LATE_MS + slack(record, to)),
    )
    .map(({ from, to }) => ({
      check: 'port',
      lane,
      at: from,
      message: `the fault proxy refused connections for ${Math.round(to - from)} ms, and no Refuse was on for as long`,
    }));
  const confirmed = record
    .of('version', lane)
    .flatMap(({ object }) => object.status?.scenarios ?? [])
    .some(({ fault }) => fault?.proof === 'Confirmed');
  const unseen = plan.fault === 'Refuse' && confirmed && closed.length === 0;
  const message = 'a Refuse is Confirmed, and the fault proxy never refused a connection';
  return unseen ? [...wrong, { check: 'port', lane, at: Date.now(), message }] : wrong;
}
