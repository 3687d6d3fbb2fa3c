import { describe, expect, it } from 'vitest';
import { comparableKeys, runKey } from './run-key.ts';
import { specSchema } from './spec.ts';

const minimal = {
  subject: {
    rateLimiter: { selector: { matchLabels: { app: 'x' } }, redis: { service: { name: 'redis' } } },
  },
};
const key = (changes: object = {}) => runKey(specSchema.parse({ ...minimal, ...changes }));
const limiter = (changes: object) =>
  key({ subject: { rateLimiter: { ...minimal.subject.rateLimiter, ...changes } } });

describe('the run key', () => {
  it('does not change between versions: this one is stored in objects out there', () => {
    expect(key()).toBe('v1:5f104f0d2a113cfc16533e499b7ea21e0cdcd14f');
  });

  it.each([
    ['runId', key({ runId: '2' })],
    ['dryRun', key({ dryRun: true })],
    ['the scenarios', key({ scenarios: [{ name: 'counter-drift', type: 'CounterDrift' }] })],
    [
      'an expectation',
      key({
        scenarios: [
          { name: 'counter-drift', type: 'CounterDrift', expect: 'Any' },
          { name: 'ghost-allowing', type: 'GhostAllowing' },
        ],
      }),
    ],
    ['the selector', limiter({ selector: { matchLabels: { app: 'y' } } })],
    ['the limit', limiter({ limit: { requests: 11 } })],
  ])('changes with %s', (_, changed) => {
    expect(changed).not.toBe(key());
  });

  it.each([
    ['pace', key({ pace: { mode: 'Manual' } })],
    ['suspend', key({ suspend: true })],
    ['historyLimit', key({ historyLimit: 1 })],
    ['rerun', key({ rerun: 'OnPodTemplateChange' })],
    ['activeDeadline', key({ activeDeadline: '5m' })],
    ['health', limiter({ health: { timeout: '1s' } })],
    ['displayName', key({ subject: { displayName: 'Gate', rateLimiter: minimal.subject.rateLimiter } })],
    [
      'defaults written out',
      key({
        runId: '',
        scenarios: [
          { name: 'counter-drift', type: 'CounterDrift', expect: 'Detected', counterDrift: { pause: '10s' } },
          { name: 'ghost-allowing', type: 'GhostAllowing', ghostAllowing: {} },
        ],
      }),
    ],
  ])('does not change with %s', (_, same) => {
    expect(same).toBe(key());
  });

  it('is comparable only with keys of the same version', () => {
    expect(comparableKeys('v1:a', 'v1:b')).toBe(true);
    expect(comparableKeys('v1:a', 'v2:a')).toBe(false);
  });
});
