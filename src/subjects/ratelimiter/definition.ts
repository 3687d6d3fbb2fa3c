/** The rate limiter for the framework: its chapters and its scenarios. Pure. */

import { formatDuration, parseDuration } from '../../api/index.ts';
import type { SubjectDefinition } from '../../engine/subject.ts';
import { definitionOf } from '../run/definition.ts';
import { podsOf } from '../scenarios/scenario-type.ts';
import { plansOf } from '../scenarios/subject-kind.ts';
import { rateLimiterApi } from './api.ts';
import { rateLimiterKind } from './kind.ts';
import { rateLimiterOf } from './spec/schema.ts';

/** The rate limiter, as the framework sees it. */
export const rateLimiterDefinition: SubjectDefinition = {
  ...definitionOf(rateLimiterKind, rateLimiterApi),

  waitsFor(spec, scenario) {
    const plans = plansOf(rateLimiterKind, spec);
    const { cooldownMs = 0, isOneCaller = false } = plans[0] ?? {};
    if (!isOneCaller) return undefined;
    const { cooldownsToPrepare = 1 } = plans.find((plan) => plan.scenario.type === scenario?.type) ?? {};
    const times = cooldownsToPrepare === 1 ? '' : `${cooldownsToPrepare} times `;
    return `This waits ${times}up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  },

  welcome(spec, target) {
    const { limit } = rateLimiterOf(spec);
    const plans = plansOf(rateLimiterKind, spec);
    const subject = `Rate limiter: ${podsOf(target)}, counting in ${target?.store ?? 'their Redis'}`;
    const faults = plans.map(({ faultTitle }) => faultTitle);
    const as = plans[0]?.isOneCaller ? 'As one caller, by its source address' : 'With its own keys';
    return `${subject}. ${as}, limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}. ${faults.join('. Then: ')}`;
  },
};
