/** What a status says of a store outage, next to what the nodes answered at their proxies. */
import { endOf } from '../../../src/api/index.ts';
import { HTTP_LIMIT } from '../../kit/http-node.ts';
import type { CheckSeen } from '../record.ts';
import { stepsBetween } from './delays.ts';
import { checkTimes, pauseOf } from './drift-figures.ts';
import type { Reported } from './reported.ts';

export function outageFigures(reported: Reported): string[] {
  const { fault, measures, result } = reported.scenario;
  const wrong = checkAdvice(reported);
  if (!fault || !measures) return wrong;
  const { fault: type = 'Stall' } = reported.seen.plan;
  // One pause lasts as long as the fault.
  const pause = type === 'Stall' || type === 'Disconnect' ? pauseOf(reported, fault) : undefined;
  if (type === 'Stall' || type === 'Disconnect') wrong.push(...checkTimes(reported, pause));
  const over = measures['overAdmission'] ?? 0;
  const admitted = mostAdmitted(reported);
  if (over > Math.max(0, admitted - HTTP_LIMIT.requests)) {
    wrong.push(`overAdmission is said to be ${over}, and the nodes admitted ${admitted} of one caller`);
  }
  if (result === 'Held' && pause && !isDisturbed(reported, pause.from, pause.end)) {
    const failed = checksOf(reported).filter(
      ({ nodeAt = 0, status }) => status === 503 && nodeAt > pause.to && nodeAt < pause.end,
    );
    wrong.push(`Held, and the nodes, which fail closed, answered ${failed.length} with an error`);
  }
  return wrong;
}

/** The spec is right, so a run may only doubt it if something was done to the limiter or its Redis. */
function checkAdvice(reported: Reported): string[] {
  const { lane, name, record } = reported.seen;
  const last = record.of('version', lane).findLast(({ object }) => object.metadata.name === name);
  const message = endOf(last?.object.status ?? {})?.message ?? '';
  const doubts = /correct rateLimiter\b/i.test(message);
  return doubts && !isDisturbed(reported, 0, Infinity)
    ? [`the spec is right, and the verdict is: ${message}`]
    : [];
}

/** The most that one caller was admitted. Its count may restart if its Redis was emptied. */
function mostAdmitted(reported: Reported): number {
  const admitted = checksOf(reported).filter(({ allowed, status }) => status === 200 && allowed === true);
  const byKey = Map.groupBy(admitted, ({ key }) => key);
  return Math.max(0, ...[...byKey.values()].map(({ length }) => length));
}

function checksOf({ seen: { lane, record } }: Reported): CheckSeen[] {
  return record.of('check', lane);
}

function isDisturbed({ seen: { lane, record } }: Reported, from: number, to: number): boolean {
  return (
    stepsBetween(record, from, to, lane, ['node', 'node-link', 'redis', 'redis-link', 'fault-proxy']).length >
    0
  );
}
