import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { parsed } from '../../test/kit/command.ts';
import { type DemoOptions, demoCommand } from './arguments.ts';
import { type OtherLimiters, planOf } from './plan.ts';

const others: OtherLimiters = {
  names: ['koa-ratelimit'],
  planOf: async (name, variant = 'default') => ({
    demo: {
      apiVersion: 'chaosdemo.dev/v1alpha1',
      kind: 'ChaosDemo',
      metadata: { name, namespace: 'ratelimiter' },
    },
    from: `${name} (${variant})`,
    launch: async () => await Promise.reject(new Error('nothing is started here')),
  }),
};
const read = (args: readonly string[]) => parsed(demoCommand(others.names), args).opts<DemoOptions>();
const plan = async (...args: string[]) => await planOf(read(args), others);

describe('what a demo runs', () => {
  it('is the sample unless something else is named', async () => {
    const { demo, from } = await plan();
    expect(from).toBe('manifests/samples/demo.yaml');
    expect(demo.metadata).toEqual({ name: 'demo', namespace: 'ratelimiter' });
  });

  it('is the plan of another limiter, in the variant that is named', async () => {
    expect((await plan('--limiter=koa-ratelimit')).from).toBe('koa-ratelimit (default)');
    expect((await plan('--limiter=koa-ratelimit', '--variant=timeout')).from).toBe('koa-ratelimit (timeout)');
  });

  it('has manual pace with --pace=manual', async () => {
    const { demo } = await plan('--limiter=koa-ratelimit', '--pace=manual');
    expect(demo.spec?.pace).toMatchObject({ mode: 'Manual' });
  });

  it.each([
    [['--file=nowhere.yaml'], '--file nowhere.yaml: ENOENT'],
    [['--file=package.json'], 'write a ChaosDemo of chaosdemo.dev/v1alpha1'],
    [['--file=src/cli/plan.ts'], '--file src/cli/plan.ts'],
    [['--variant=timeout'], '--variant belongs to --limiter'],
  ])('is refused with what to write: %j', async (args, message) => {
    await expect(plan(...args)).rejects.toThrow(UsageError);
    await expect(plan(...args)).rejects.toThrow(message);
  });
});
