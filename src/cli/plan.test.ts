import { describe, expect, it } from 'vitest';
import { readSettings, UsageError } from '../settings/settings.ts';
import { DEMO } from './arguments.ts';
import { isShownLive, planOf } from './plan.ts';

const plan = async (...args: string[]) => {
  const settings = readSettings(DEMO, args, {});
  if (settings === 'help') throw new TypeError('help was asked for');
  return await planOf(settings);
};

describe('what a demo runs', () => {
  it('is the sample unless something else is named', async () => {
    const { demo, from } = await plan();
    expect(from).toBe('manifests/samples/demo.yaml');
    expect(demo.metadata).toEqual({ name: 'demo', namespace: 'ratelimiter' });
  });

  it('is a store outage and a burst for a limiter of the survey, as it comes', async () => {
    const { demo, from } = await plan('--limiter=koa-ratelimit');
    expect(from).toContain('koa-ratelimit (default)');
    expect(demo).toMatchObject({
      metadata: { namespace: 'ratelimiter' },
      spec: { scenarios: [{ type: 'StoreOutage' }, { type: 'GhostAllowing' }] },
    });
  });

  it('is paced by hand where that is asked for', async () => {
    const { demo } = await plan('--limiter=koa-ratelimit', '--pace=manual');
    expect(demo.spec?.pace).toMatchObject({ mode: 'Manual' });
  });

  it.each([
    [['--limiter=koa-ratelimit', '--variant=x'], 'of koa-ratelimit write one of default, timeout'],
    [['--file=nowhere.yaml'], '--file nowhere.yaml: ENOENT'],
    [['--file=package.json'], 'it holds no ChaosDemo with a name'],
  ])('is refused with what to write: %j', async (args, message) => {
    await expect(plan(...args)).rejects.toThrow(UsageError);
    await expect(plan(...args)).rejects.toThrow(message);
  });
});

describe('a run', () => {
  it.each([
    [[], true, true],
    [[], false, false],
    [['--plain'], true, false],
    [['--ui'], true, false],
    [['--ui', '--keep', '--pace=manual'], true, false],
  ])('with %j, on a terminal: %j, has the screen for itself: %j', (args, hasTerminal, isLive) => {
    const settings = readSettings(DEMO, args, {});
    if (settings === 'help') throw new TypeError('help was asked for');
    expect(isShownLive(settings, hasTerminal)).toBe(isLive);
  });
});
