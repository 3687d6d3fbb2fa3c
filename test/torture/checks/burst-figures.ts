/** Compares a status of a burst with what reached the proxies of the nodes. */
import { LIMIT } from '../settings.ts';
import { answersTo, outside } from './answers.ts';
import { slack } from './delays.ts';
import type { Reported } from './reported.ts';

/** The first request is written so much before a busy proxy reads it. */
const READ_LATE_MS = 300;
/** The clocks of two processes of one machine are apart by so much. */
const CLOCKS_MS = 20;

export function burstFigures({ key, scenario, seen }: Reported): string[] {
  const { lane, plan, record } = seen;
  const planned = LIMIT * plan.multiplier;
  const { fault, measures = {}, result } = scenario;
  const wrong: string[] = [];
  const checks = record.of('check', lane);
  for (const [burstKey, sent] of Map.groupBy(
    checks.filter(({ key }) => key.includes(`-${scenario.name}`)),
    ({ key }) => key,
  )) {
    if (sent.length > planned)
      wrong.push(`${sent.length} requests went to ${burstKey}, and ${planned} were planned`);
  }
  if (!fault || key === undefined) return wrong;
  const own = checks.filter((check) => check.key === key);
  const seenAnswers = answersTo(own, record, lane);
  const { admitted, errors = 0, rejected, requests, timeouts = 0 } = measures;
  if (requests !== undefined && requests !== 0) {
    if (requests !== planned) wrong.push(`requests is said to be ${requests}, and ${planned} were planned`);
    wrong.push(...[outside('rejected', rejected, seenAnswers.rejected)].filter((line) => line !== undefined));
    const open = requests - seenAnswers.admittedInTime.most - seenAnswers.rejected.most;
    const most = requests - seenAnswers.admittedInTime.least - seenAnswers.rejected.least;
    const problem = outside('errors and timeouts', errors + timeouts, { least: open, most });
    if (problem) wrong.push(problem);
  }
  if (result === 'Violated') {
    if (seenAnswers.admitted <= LIMIT)
      wrong.push(`Violated, and the nodes admitted ${seenAnswers.admitted} of ${LIMIT}`);
    const problem = outside('admitted', admitted, seenAnswers.admittedInTime);
    if (problem) wrong.push(problem);
  }
  if (result === 'Held') {
    if (seenAnswers.admitted > LIMIT)
      wrong.push(`Held, and the nodes admitted ${seenAnswers.admitted} of ${LIMIT}`);
    if (own.length < planned) wrong.push(`Held, and ${own.length} of ${planned} requests were seen`);
  }
  if (fault.proof === 'Confirmed') {
    const answered = own.filter(({ answeredAt }) => answeredAt !== undefined).length;
    if (answered < planned) wrong.push(`Confirmed, and ${answered} of ${planned} requests were answered`);
    const first = own[0];
    const startedAt = Date.parse(fault.startedAt ?? '');
    if (
      first &&
      !(startedAt <= first.at + CLOCKS_MS && startedAt >= first.at - READ_LATE_MS - slack(record, first.at))
    ) {
      wrong.push(`startedAt is ${Math.round(startedAt - first.at)} ms from the first request that was seen`);
    }
  }
  return wrong;
}
