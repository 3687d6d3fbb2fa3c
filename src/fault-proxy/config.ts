/** The configuration of the fault proxy: flags, environment and defaults. */

import type { Program } from '@chaosdemo/settings';
import { file, port, text } from '@chaosdemo/settings/values';
import { z } from 'zod';

const upstream = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$/)
  .transform((written) => {
    const at = written.lastIndexOf(':');
    return { host: written.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(written.slice(at + 1)) };
  })
  .refine(({ port }) => port >= 1 && port <= 65_535);

const settings = {
  host: {
    ...text('<address>', 'a host name or address', z.string().min(1)),
    env: 'HOST',
    help: 'Address to listen on, for clients and for control',
    fallback: '0.0.0.0',
  },
  port: {
    ...port(0),
    env: 'PORT',
    help: 'Port for clients of Redis; 0 takes a free one and logs it',
    fallback: '6379',
  },
  upstream: {
    ...text('<host:port>', 'the host and port of Redis, such as redis-upstream:6379', upstream),
    env: 'UPSTREAM',
    help: 'The Redis behind this proxy. No request can change it',
    isRequired: true,
  },
  directPort: {
    ...port(0),
    env: 'DIRECT_PORT',
    help: 'Second port to Redis without faults, for the operator if Redis is outside of the cluster',
  },
  controlPort: {
    ...port(0),
    env: 'CONTROL_PORT',
    help: 'Port of the control API; 0 takes a free one and logs it',
    fallback: '8474',
  },
  tokenFile: {
    ...file,
    env: 'TOKEN_FILE',
    help: 'File with the token of the control API, at least 16 characters',
    isRequired: true,
  },
} as const;

export const FAULT_PROXY: Program<typeof settings> = {
  about:
    'A TCP proxy in front of one Redis of a test environment, which refuses, delays or holds back connections or makes them stale on request, for a bounded time.',
  settings,
};
