/** Validates the type of a reply of Redis: a type in a signature is no proof. Pure. */
import { unexpectedReply } from './redis-error.ts';

/** @throws RedisWireError */
export function asText(command: string, reply: unknown): string {
  if (typeof reply === 'string') return reply;
  throw unexpectedReply(command, 'text', kindOf(reply));
}

/** An integer that a number holds exactly, sent as such or as text. @throws RedisWireError */
export function asInteger(command: string, reply: unknown): number {
  const value = typeof reply === 'string' && /^-?\d+$/.test(reply) ? Number(reply) : reply;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw unexpectedReply(command, 'an integer', kindOf(reply));
}

/** @throws RedisWireError for anything but `wanted`; QUEUED: the reply to a command that waits for EXEC */
export function requireOk(command: string, reply: unknown, wanted: 'OK' | 'QUEUED' = 'OK'): void {
  if (reply !== wanted) throw unexpectedReply(command, wanted, kindOf(reply));
}

/** @throws RedisWireError */
export function asList(command: string, reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpectedReply(command, 'a list', kindOf(reply));
}

/** The fields of a hash, from a flat list; none if there is no such key. @throws RedisWireError */
export function asFields(command: string, reply: unknown): Map<string, string> {
  const flat = asList(command, reply);
  if (flat.length % 2 !== 0 || !flat.every((item) => typeof item === 'string')) {
    throw unexpectedReply(command, 'fields and values', 'a list of something else');
  }
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
  return fields;
}

/** The answer to TIME in milliseconds since the epoch, with a fraction. @throws RedisWireError */
export function asTime(command: string, reply: unknown): number {
  if (!Array.isArray(reply) || reply.length !== 2) {
    throw unexpectedReply(command, 'seconds and microseconds', kindOf(reply));
  }
  return asInteger(command, reply[0]) * 1000 + asInteger(command, reply[1]) / 1000;
}

/** Names only the kind: the value is not repeated. */
function kindOf(reply: unknown): string {
  if (reply === null || reply === undefined) return 'nothing';
  if (Array.isArray(reply)) return 'a list';
  if (typeof reply === 'string') return 'other text';
  if (typeof reply === 'number') return 'a number';
  return 'something else';
}
