import { expect, it } from 'vitest';
import type { ProbeEvent } from '../events.ts';
import { until } from '../testing/until.fixture.ts';
import type { StoreConnections } from './store-connections.ts';
import { watchStore } from './store-watch.ts';

/** A store that answers at once, and counts its connections. */
class AnsweringStore {
  name = 'redis-0';
  accepted = 100;
  counted = 0;

  async usage() {
    this.counted += 1;
    return { made: this.accepted, open: 4, bytes: 1_000_000 };
  }
  async read(): Promise<number> {
    return 1;
  }
  async openProbeWriter() {
    return { write: async () => undefined, close: () => undefined };
  }
}

it('connections count from the first look, and no more once another server is there', async () => {
  const store = new AnsweringStore();
  const made: number[] = [];
  const record = (event: ProbeEvent): void => {
    if (event.state !== 'Connections') return;
    made.push(event.made ?? 0);
    expect(event).toMatchObject({ open: 4, bytes: 1_000_000 });
  };
  const watched = new AbortController();
  const redis = store as unknown as StoreConnections;
  const watching = watchStore({ now: () => performance.now(), redis }, record, watched.signal);
  const looks = async (more: number): Promise<void> => {
    const before = store.counted;
    await until(() => store.counted >= before + more);
  };
  await until(() => made.length > 0);
  store.accepted = 107;
  await until(() => made.at(-1) === 7);
  Object.assign(store, { name: 'redis-1', accepted: 5000 });
  await looks(2);
  watched.abort();
  await watching;
  expect(made[0]).toBe(0);
  expect(Math.max(...made)).toBe(7);
});
