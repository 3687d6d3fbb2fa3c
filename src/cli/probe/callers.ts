/** Callers of a probe, and their place in a request. */
import { randomInt, randomUUID } from 'node:crypto';
import { type CountedRequest, isKeyed } from './manifest.ts';
import type { Header } from './options.ts';

const KEY_HEADERS = ['X-Api-Key', 'Api-Key', 'X-User-Id', 'X-User', 'X-Client-Id', 'X-Tenant-Id'];
/** Identify callers by an address. */
const ADDRESS_HEADERS = ['X-Forwarded-For', 'X-Real-IP'];
/** Headers that identify callers. */
export const USUAL_HEADERS = [...KEY_HEADERS, ...ADDRESS_HEADERS];

export interface Caller {
  readonly key: string;
  readonly address: string;
}

/** New callers, whose keys begin with `demo-`. */
export class Callers {
  /** Part of all keys, so that they can be removed. */
  readonly mark = `demo-probe-${randomUUID().slice(0, 8)}`;
  #count = 0;

  next(): Caller {
    this.#count += 1;
    return {
      key: `${this.mark}-${this.#count}`,
      // 198.18.0.0/15 is reserved for measurements (RFC 2544), so no real caller has such an address.
      address: `198.${18 + randomInt(2)}.${randomInt(256)}.${1 + randomInt(254)}`,
    };
  }
}

export function keyedHeader(name: string): Header {
  return { name, value: ADDRESS_HEADERS.includes(name) ? '$(address)' : '$(key)' };
}

export function withHeaders(request: CountedRequest, headers: readonly Header[]): CountedRequest {
  return { ...request, headers: [...request.headers, ...headers] };
}

export function callerText(request: CountedRequest): string {
  const header = request.headers.find(({ value }) => /\$\((key|address)\)/.test(value));
  if (header) return `header ${header.name}`;
  return isKeyed(request) ? '$(key) in the request' : 'the address of the connection';
}

export function fill({ name, value }: Header, { address, key }: Caller): Header {
  return { name, value: value.replaceAll('$(key)', key).replaceAll('$(address)', address) };
}

export function filled({ body, headers, method, path }: CountedRequest, caller: Caller): CountedRequest {
  const text = (value: string): string => fill({ name: '', value }, caller).value;
  return {
    method,
    path: text(path),
    headers: headers.map((header) => fill(header, caller)),
    ...(body !== undefined && { body: text(body) }),
  };
}
