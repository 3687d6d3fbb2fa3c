/** No password of a Redis stands where people read. */
import type { TortureRecord } from '../record.ts';
import type { Wrong } from './seen.ts';

export function secretsIn(
  record: TortureRecord,
  logs: Readonly<Record<string, string>>,
  secrets: readonly string[],
): Wrong[] {
  const places: Record<string, string> = { ...logs, objects: JSON.stringify(record.of('version')) };
  return Object.entries(places).flatMap(([place, text]) =>
    secrets
      .filter((secret) => text.includes(secret))
      .map(() => ({
        check: 'secrets',
        lane: -1,
        at: Date.now(),
        message: `a password of a Redis stands in ${place}`,
      })),
  );
}
