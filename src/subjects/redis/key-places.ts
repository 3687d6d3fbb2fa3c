/** Keys of callers in Redis, by a template of the spec. Pure. */
import type { CountPlace } from '@chaosdemo/redis-faults';
import { KEY_PLACE } from '../spec/pods-schema.ts';

/** The ACL pattern of the keys of all demos: `rl:$(key)` is `rl:demo-*`. */
export const keyPattern = (template: string): string =>
  template.replaceAll(/[*?[\]\\]/g, '\\$&').replaceAll(KEY_PLACE, 'demo-*');

/** The keys of whatever type for these callers; none without a template. */
export const keyPlaces = (template: string | undefined, callers: readonly string[]): CountPlace[] =>
  template === undefined
    ? []
    : callers.map((caller) => ({
        key: template.replaceAll(KEY_PLACE, () => caller),
        type: 'Any',
        pattern: keyPattern(template),
      }));
