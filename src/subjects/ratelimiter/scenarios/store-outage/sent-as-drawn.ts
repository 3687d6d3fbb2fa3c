/**
 * Whether callers sent until the fault what the seed of the run draws for them: a request that was removed or doubled, or another limit or seed in the setup, does not fit. Pure.
 */

import { counted } from '../../../../api/index.ts';
import type { History } from '../../../history/history.ts';
import { DRAWS, type Setup } from '../../history/setup.ts';
import { OutagePlan } from './plan.ts';
import { residentsOf } from './population.ts';

/** Why no run records such a history; undefined: one may. */
export function notAsDrawn(history: History<Setup>): string | undefined {
  const { dropped, requests, setup, times } = history;
  const { draws, fixture, limiter, pods, scenario } = setup;
  const { endedAt, startedAt } = times;
  const plan = new OutagePlan(scenario, limiter);
  const isWhole = dropped === 0 && history.last('left-out') === undefined;
  if (draws !== DRAWS || plan.isOneCaller || !isWhole || startedAt === undefined) return undefined;
  const sent = Map.groupBy(requests, ({ key }) => key);
  const residents = residentsOf(plan.draw(pods.length, fixture));
  // The first exhausts its limit, however many requests that takes.
  for (const { key, shares, used, usedLate } of residents.slice(1)) {
    const most = used + usedLate;
    // The last of them are sent around the start of the fault. One that is silent in the fault sends no others in it.
    const [until, least] = shares.during === 0 && endedAt !== undefined ? [endedAt, most] : [startedAt, used];
    const count = (sent.get(key) ?? []).filter(({ sentAt }) => sentAt < until).length;
    if (count >= least && count <= most) continue;
    const drawn = least < most ? `${least} to ${most}` : String(most);
    return `${key} sent ${counted(count, 'request')} until the fault, and its seed draws ${drawn}`;
  }
  return undefined;
}
