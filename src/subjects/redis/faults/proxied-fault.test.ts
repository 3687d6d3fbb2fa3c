import { expect, it } from 'vitest';
import { compareFaults } from './proxied-fault.ts';

const INSTANCE = '0b6f7a52-6f0e-4f6a-9d5e-2f0f9a1c3d4e';

it.each([
  ['NotInjected', `${INSTANCE}/3`, 3],
  ['Injected', `${INSTANCE}/3`, 4],
  ['Unknown', `${INSTANCE}/3`, 2],
  ['Unknown', `${INSTANCE.replace('0b', '1b')}/3`, 3],
  ['Unknown', `${'a'.repeat(40)}/3`, 3],
  ['Unknown', '', 3],
] as const)('is %s by the marker %j if the proxy has begun %i faults', (found, marker, faults) => {
  expect(compareFaults(marker, { instance: INSTANCE, faults })).toBe(found);
});
