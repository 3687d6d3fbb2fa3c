/** What a spec contradicts in itself, whatever pods and Redis it finds: the API server refuses it by these rules. */
import type { CelRule } from '../../../api/index.ts';
import { acceptRule, faultRules } from '../../scenarios/store-fault.ts';
import { PART } from '../spec/schema.ts';
import { api as storeOutage } from './store-outage/parameters.ts';

const HAS_COUNT = `!has(self.${PART}.http) || has(self.${PART}.redis.count)`;

export const specRules: readonly CelRule[] = [
  ...faultRules(PART, ['counterDrift', 'storeOutage'], {
    rule: HAS_COUNT,
    message: `removes the counts of the demo, and the names of their keys are not known: set ${PART}.redis.count`,
  }),
  {
    rule: `${HAS_COUNT} || self.scenarios.all(s, s.type != 'CounterDrift')`,
    message: `CounterDrift compares what was admitted with what was counted: set ${PART}.redis.count, the key of Redis that holds the count, or use StoreOutage or GhostAllowing`,
  },
  acceptRule(storeOutage.member, storeOutage.schema),
];
