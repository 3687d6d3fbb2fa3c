/** What a spec contradicts in itself, whatever pods and Redis it finds: the API server refuses it by these rules. */
import type { CelRule } from '../../../api/index.ts';
import { PART } from '../spec/schema.ts';
import { named, quoted, typesBy, typesThatLast } from './store-fault.ts';

/** CEL: no scenario has a fault for which `is` holds, a condition about `f`. */
function noFault(is: string): string {
  const member = (name: string): string => `(!has(s.${name}) || ![s.${name}.fault].exists(f, ${is}))`;
  return `self.scenarios.all(s, ${member('counterDrift')} && ${member('storeOutage')})`;
}

const ofType = (types: readonly string[]): string => `f.type in ${quoted(types)}`;
const REDIS = `self.${PART}.redis`;
const hasCount = `!has(self.${PART}.http) || has(${REDIS}.count)`;
const losing = typesThatLast('Moment');
const lasting = typesThatLast('ForGood');
const proxied = typesBy('Proxy').filter((type) => !typesBy('Redis').includes(type));

export const specRules: readonly CelRule[] = [
  {
    rule: `has(${REDIS}.faultProxy) || ${noFault(`(has(f.via) && f.via == 'Proxy') || ${ofType(proxied)}`)}`,
    message: `via Proxy, and the types ${named(proxied)}, need a fault proxy between the rate limiter and Redis: see docs/fault-proxy.md, and name it in ${PART}.redis.faultProxy`,
  },
  {
    rule: `${REDIS}.failover == 'Allow' || ${noFault(ofType(lasting))}`,
    message: `${named(lasting)} is not undone: roles stay swapped, and writes that were acknowledged can be lost. To permit it, set ${PART}.redis.failover to Allow`,
  },
  {
    rule: `${hasCount} || ${noFault(ofType(losing))}`,
    message: `${named(losing)} removes the counts of the demo, and the names of their keys are not known: set ${PART}.redis.count`,
  },
  {
    rule: `${hasCount} || self.scenarios.all(s, s.type != 'CounterDrift')`,
    message: `CounterDrift compares what was admitted with what was counted: set ${PART}.redis.count, the key of Redis that holds the count, or use StoreOutage or GhostAllowing`,
  },
];
