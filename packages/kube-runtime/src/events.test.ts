import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type EventRecord, EventRecorder, truncateUtf8 } from './events.ts';
import {
  recordingLogger,
  sendJson,
  sendStatus,
  startWireServer,
  type WireServer,
} from './testing.fixture.ts';

vi.setConfig({ testTimeout: 30_000 });
const eventually = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 5 });

let server: WireServer | undefined;

function record(note = 'it happened', namespace = 'default'): EventRecord {
  const regarding = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace, uid: 'u' };
  return { regarding, type: 'Normal', reason: 'Happened', action: 'Happen', note };
}

function recorder() {
  if (server === undefined) throw new Error('no server');
  const logger = recordingLogger();
  const names = { reportingController: 'example.com/tester', reportingInstance: 'tester-0' };
  return { logger, events: new EventRecorder({ client: server.client(), logger, ...names }) };
}

const bodies = (): Record<string, unknown>[] =>
  (server?.requests ?? []).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe('EventRecorder', () => {
  it('an event is written once within minutes, by note, whatever the resource version', async () => {
    server = await startWireServer((_request, response) => sendJson(response, {}));
    const { events } = recorder();
    for (let version = 0; version < 5; version++) {
      const again = record();
      events.record({ ...again, regarding: { ...again.regarding, resourceVersion: String(version) } });
    }
    events.record(record('something else'));
    await events.stop(60_000);
    expect(bodies().map(({ note }) => note)).toEqual(['it happened', 'something else']);
  });

  it('writes what waits when stopped, and takes nothing after', async () => {
    server = await startWireServer((_request, response) => void setTimeout(() => sendJson(response, {}), 5));
    const { events, logger } = recorder();
    for (let n = 0; n < 10; n++) events.record(record(`note ${n}`));
    await events.stop(20_000);
    expect(bodies().map(({ note }) => note)).toEqual(Array.from({ length: 10 }, (_, n) => `note ${n}`));
    events.record(record('too late'));
    await events.stop(0);
    expect(server.requests).toHaveLength(10);
    expect(logger.entries).toEqual([]);
  });

  it('gives up at the deadline of stop when the API server hangs', async () => {
    server = await startWireServer(() => {});
    const { events, logger } = recorder();
    for (let n = 0; n < 3; n++) events.record(record(`note ${n}`));
    await events.stop(50);
    expect(logger.entries).toMatchObject([{ level: 'warn', fields: { lost: 2 } }]);
    await eventually(() => expect(server?.openConnections()).toBe(0));
  });

  it('tries again after a failure of the server, and drops what is refused', async () => {
    let calls = 0;
    server = await startWireServer((_request, response) => {
      calls++;
      if (calls === 1) sendStatus(response, 500, 'InternalError');
      else if (calls === 3) sendStatus(response, 403, 'Forbidden');
      else sendJson(response, {});
    });
    const { events, logger } = recorder();
    for (const note of ['first', 'second', 'third']) events.record(record(note));
    await events.stop(20_000);
    expect(bodies().map(({ note }) => note)).toEqual(['first', 'first', 'second', 'third']);
    expect(logger.entries).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/event .*not .*written$/) },
    ]);
  });

  it('thousands of events of one namespace neither drop nor delay those of another', async () => {
    server = await startWireServer((_request, response) => sendJson(response, {}));
    const { events, logger } = recorder();
    for (let n = 0; n < 5000; n++) events.record(record(`note ${n}`, 'noisy'));
    events.record(record('the only one', 'other'));
    await events.stop(20_000);
    const written = bodies().map(({ note }) => note);
    expect(written.slice(0, 2)).toContain('the only one');
    expect(written).toHaveLength(65);
    expect(logger.entries[0]?.fields).toEqual({ queueLimit: 64, namespace: 'noisy' });
  });
});

it('truncateUtf8 keeps within the limit, whole characters only', () => {
  fc.assert(
    fc.property(
      // A text with that character itself does not show where it was cut.
      fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\uFFFD')),
      fc.integer({ min: 3, max: 40 }),
      (text, limit) => {
        const cut = truncateUtf8(text, limit);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
        expect(cut).not.toContain('\uFFFD');
        if (Buffer.byteLength(text) <= limit) expect(cut).toBe(text);
        else expect(text.startsWith(cut.slice(0, -3))).toBe(true);
      },
    ),
  );
});
