/** Helpers for tests of broken worlds: the reported reason, and that nothing is left. */
import { expect } from 'vitest';
import { ONE_BURST } from '../../kit/demo.ts';
import { conditionText } from '../../kit/status.ts';
import { until } from '../../kit/until.ts';
import type { World } from '../../kit/world.ts';

interface Event {
  reason: string;
  type: string;
  note: string;
  regarding: { name: string };
}

/** Waits for a Warning of events.k8s.io about a demo. Returns its note. */
export async function warning(world: World, name: string, reason: string): Promise<string> {
  const path = `/apis/events.k8s.io/v1/namespaces/${world.namespace}/events`;
  const event = await until(
    async () => {
      const { items } = await world.client.request<{ items: Event[] }>({ method: 'GET', path });
      return items.find((item) => item.regarding.name === name && item.reason === reason);
    },
    { what: `an event ${reason} about ${name}` },
  );
  expect(event.type).toBe('Warning');
  return event.note;
}

/** Nothing was injected and nothing is stuck: the demo goes at once, and the operator serves the next one. */
export async function expectNothingLeftOf(world: World, name: string): Promise<void> {
  await world.delete(name, 20_000);
  await world.untilNoLeases();
  expect(await world.pauses()).toBe(0);
  await world.applySpec('next', ONE_BURST);
  expect((await world.ended('next')).run?.phase).toBe('Succeeded');
  await world.delete('next', 20_000);
}

/** The run of this spec ends Errored, says what to do, and nothing of it is left. */
export async function expectErrored(
  world: World,
  name: string,
  spec: object,
  reason: string,
  message: RegExp,
): Promise<void> {
  await world.applySpec(name, spec);
  const status = await world.ended(name);
  expect(status.run).toMatchObject({ phase: 'Errored', reason });
  expect(status.message).toMatch(message);
  expect(conditionText(status, 'Stalled')).toBe(`True ${reason}`);
  expect(conditionText(status, 'Finished')).toBe(`True ${reason}`);
  expect(conditionText(status, 'FaultActive')).toBe('False NoFault');
  expect(status.scenarios?.map(({ fault }) => fault)).toEqual([undefined, undefined]);
  expect(await warning(world, name, 'RunErrored')).toMatch(message);
  // A status that a misbehaving limiter could blow up is one that could not be stored.
  expect(JSON.stringify(status).length).toBeLessThan(32_768);
  await expectNothingLeftOf(world, name);
}
