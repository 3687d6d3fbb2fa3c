import { describe, expect, it } from 'vitest';
import type { ScenarioStatus } from '../api/index.ts';
import { adviceOn } from './advice.ts';
import { LIBRARIES } from './libraries.ts';

const status = (more: Partial<ScenarioStatus>): ScenarioStatus => ({
  name: 'outage',
  type: 'StoreOutage',
  expect: 'Held',
  result: 'Violated',
  ...more,
});
const on = (summary: string, more: Partial<ScenarioStatus> = {}) =>
  adviceOn(status({ summary, ...more }), undefined);

describe('what to do about a limiter', () => {
  it('is about what it did, and not about the fault', () => {
    expect(on('Hangs')).toMatch(/^Set a timeout/);
    expect(on('FailsOpen, 30 of 10 in 1.2 s')).toMatch(/accept FailsOpen\./);
    expect(on('FailsClosed')).toMatch(/accept FailsClosed\./);
    expect(on('20/10, 3/3 trials', { type: 'GhostAllowing' })).toMatch(/in one step/);
  });

  it('has the setting of the library that the project uses', () => {
    const libraries = LIBRARIES.filter(({ name }) => name === 'koa-ratelimit');
    const hangs = adviceOn(status({ summary: 'Hangs' }), undefined, libraries);
    expect(hangs).toMatch(/^Set a timeout.* koa-ratelimit: ioredis with commandTimeout: 200 /);
    expect(on('Hangs')).toMatch(/docs\/configure\.md\.$/);
  });

  it('is about its end if only that was wrong, and about both if both were', () => {
    expect(on('FailsClosed, 20 of 10 in 1.2 s')).toMatch(
      /^A caller was admitted over its limit[^]*(?<!FailsClosed\.)$/,
    );
    expect(on('FailsClosed; no recovery in 5s')).toMatch(/^Once Redis was back[^]*(?<!FailsClosed\.)$/);
    expect(on('Hangs; no recovery in 5s')).toMatch(/^Once Redis was back.* Set a timeout/);
    expect(on('Enforces; limit not returned')).toMatch(/^Callers stayed rejected/);
    expect(on('FailsClosed; memory 240% > 200%')).toMatch(/^Bound the connections.*wait for Redis\.$/);
  });

  it('of a lock is about what it granted, and what it kept', () => {
    const lock = { type: 'Exclusion' };
    expect(on('DoubleGrants; 2 > 1 at once', lock)).toMatch(/in one step.*fencing token/);
    expect(on('Denies; slot not returned', lock)).toMatch(
      /^A request without a response[^]*granted too late\.$/,
    );
    expect(on('Hangs', lock)).toMatch(/deny the lock/);
    expect(on('Denies', lock)).toBeUndefined();
  });

  it('is that of a diagnosis, if it has one', () => {
    expect(adviceOn(status({ summary: 'Hangs' }), { recommendation: 'Reset it.' })).toBe('Reset it.');
  });

  it('is none if nothing is wrong', () => {
    expect(on('Enforces', { result: 'Held' })).toBeUndefined();
  });
});
