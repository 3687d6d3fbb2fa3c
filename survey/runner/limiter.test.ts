import { expect, it } from 'vitest';
import { fillIn, isKeyOf } from './limiter.ts';

it('fillIn fills the places that have a value and leaves the others', () => {
  expect(fillIn('{"key":"{key}","other":"{other}"}', { key: 'demo-1' })).toBe(
    '{"key":"demo-1","other":"{other}"}',
  );
});

it.each([
  ['rl:{key}', 'rl:demo-1', true],
  ['rl:{key}', 'rl:demo-12', false],
  ['rl:{key}', 'xrl:demo-1', false],
  ['survey_caller_{key}_{number}', 'survey_caller_demo-1_1700000000', true],
  ['survey_caller_{key}_{number}', 'survey_caller_demo-1_x', false],
  ['{{hash}:default}:hits', '{00ff:default}:hits', true],
  ['{{hash}:default}:hits', '{00ff:default}:blocked', false],
  ['a.{key}', 'ab-demo-1', false],
])('isKeyOf %s means %s: %s', (template, key, expected) => {
  expect(isKeyOf(template, 'demo-1', key)).toBe(expected);
});
