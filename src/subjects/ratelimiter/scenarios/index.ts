/** The scenario types of the rate limiter, in the order of the story. */
import type { ScenarioType } from '../../scenarios/scenario-type.ts';
import { counterDrift } from './counter-drift/index.ts';
import { ghostAllowing } from './ghost-allowing/index.ts';
import { storeOutage } from './store-outage/index.ts';

export const SCENARIO_TYPES: readonly ScenarioType[] = [counterDrift, ghostAllowing, storeOutage];
