import { describe, expect, it } from 'vitest';
import { lampApi } from '../../test/fixtures/api/subject.ts';
import { runKey } from './run-key.ts';
import { specSchema } from './spec.ts';

const schema = specSchema([lampApi]);
const key = (changes: object = {}) => runKey(schema.parse({ lamp: { socket: 'a' }, ...changes }), lampApi);
const lamp = (changes: object) => key({ lamp: { socket: 'a', ...changes } });

describe('the run key', () => {
  it('does not change between versions: this one is stored in objects out there', () => {
    expect(key()).toBe('v4:fae428ff480376c0237b762748e014a55b96502d');
  });

  it.each([
    ['runId', key({ runId: '2' })],
    ['a name of a scenario', key({ scenarios: [{ name: 'other', type: 'Flicker' }] })],
    ['an expectation', key({ scenarios: [{ name: 'flicker', type: 'Flicker', expect: 'Any' }] })],
    ['a parameter', key({ scenarios: [{ name: 'flicker', type: 'Flicker', flicker: { lasts: '11s' } }] })],
    ['a required field of the subject', lamp({ socket: 'b' })],
    ['a field of the subject', lamp({ brightness: 51 })],
    ['a nested field of the subject', lamp({ bulb: { watts: 9 } })],
    ['an empty object of the subject', lamp({ shade: {} })],
  ])('changes with %s', (_, changed) => {
    expect(changed).not.toBe(key());
  });

  it.each([
    ['pace', key({ pace: { mode: 'Manual' } })],
    ['suspend', key({ suspend: true })],
    ['historyLimit', key({ historyLimit: 1 })],
    ['rerun', key({ rerun: 'OnPodTemplateChange' })],
    ['activeDeadline', key({ activeDeadline: '5m' })],
    ['what the subject says starts no run', lamp({ look: { every: '1s' } })],
    ['defaults written out in the subject', lamp({ brightness: 50, bulb: { watts: 8 } })],
    [
      'defaults written out in a scenario',
      key({
        runId: '',
        scenarios: [{ name: 'flicker', type: 'Flicker', expect: 'Held', flicker: { lasts: '10s' } }],
      }),
    ],
  ])('does not change with %s', (_, same) => {
    expect(same).toBe(key());
  });
});
