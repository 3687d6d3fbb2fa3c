import { expect, it } from 'vitest';
import type { ScenarioStatus } from '../api/index.ts';
import { differences } from './check.ts';

const history = 'sha256:a';
const outage: ScenarioStatus = {
  name: 'outage',
  type: 'StoreOutage',
  expect: 'Held',
  result: 'Held',
  history,
};
const burst: ScenarioStatus = { ...outage, name: 'burst' };

it.each<[string, readonly ScenarioStatus[], readonly string[]]>([
  ['nothing', [outage], []],
  ['a character', [{ ...outage, history: 'sha256:b' }], ['outage']],
  ['the result', [{ ...outage, result: 'Violated' }], ['outage']],
  ['a digest that is missing', [{ ...outage, history: undefined }], ['outage']],
  ['the name of the scenario', [burst], ['outage', 'burst']],
  ['a history that is missing', [outage, burst], ['burst']],
])('a history differs from that of a run by %s', (_, recorded, different) => {
  expect(differences([outage], recorded).map((line) => line.split(':')[0])).toEqual(different);
});
