/** The locks of the survey: each as its documentation shows it, once with default settings and once with a timeout. */

/** A lock of a library. */
export interface Library {
  readonly name: string;
  readonly version: string;
  readonly language: 'JavaScript' | 'Python' | 'Go' | 'Java';
  /** Folder of its service here; LIB in its environment is {@link lib}. */
  readonly folder: 'node' | 'python' | 'go' | 'java';
  readonly lib: string;
  readonly slots: number;
  /** What it puts before the name of a lock in Redis. */
  readonly prefix?: string;
  /** Its documentation. */
  readonly url: string;
  /** What comes closest to a promise or a warning there, word for word. */
  readonly quote: string;
}

export const LIBRARIES: readonly Library[] = [
  {
    name: 'redlock',
    version: '4.2.0',
    language: 'JavaScript',
    folder: 'node',
    lib: 'redlock',
    slots: 1,
    url: 'https://www.npmjs.com/package/redlock/v/4.2.0',
    quote: 'it becomes theoretically possible that a lock is acquired twice',
  },
  {
    name: '@sesamecare-oss/redlock',
    version: '1.4.0',
    language: 'JavaScript',
    folder: 'node',
    lib: 'sesamecare',
    slots: 1,
    url: 'https://www.npmjs.com/package/@sesamecare-oss/redlock/v/1.4.0',
    quote: 'it becomes theoretically possible that a lock is acquired twice',
  },
  {
    name: 'redis-semaphore Mutex',
    version: '5.8.0',
    language: 'JavaScript',
    folder: 'node',
    lib: 'mutex',
    slots: 1,
    prefix: 'mutex:',
    url: 'https://www.npmjs.com/package/redis-semaphore/v/5.8.0',
    quote: 'Fail-safe (all actions performed by LUA scripts (atomic))',
  },
  {
    name: 'redis-semaphore Semaphore',
    version: '5.8.0',
    language: 'JavaScript',
    folder: 'node',
    lib: 'semaphore',
    slots: 3,
    prefix: 'semaphore:',
    url: 'https://www.npmjs.com/package/redis-semaphore/v/5.8.0',
    quote: 'Fail-safe (all actions performed by LUA scripts (atomic))',
  },
  {
    name: 'redis-py Lock',
    version: '8.1.0',
    language: 'Python',
    folder: 'python',
    lib: 'redis-py',
    slots: 1,
    url: 'https://pypi.org/project/redis/8.1.0/',
    quote:
      "It's left to the user to resolve deadlock issues and make sure multiple clients play nicely together.",
  },
  {
    name: 'python-redis-lock',
    version: '4.0.1',
    language: 'Python',
    folder: 'python',
    lib: 'python-redis-lock',
    slots: 1,
    prefix: 'lock:',
    url: 'https://pypi.org/project/python-redis-lock/4.0.1/',
    quote:
      'In some cases, the lock remains in redis forever (like a server blackout / redis or application crash / an unhandled exception).',
  },
  {
    name: 'bsm/redislock',
    version: 'v0.9.4',
    language: 'Go',
    folder: 'go',
    lib: 'redislock',
    slots: 1,
    url: 'https://pkg.go.dev/github.com/bsm/redislock@v0.9.4',
    quote: 'Simplified distributed locking implementation using Redis.',
  },
  {
    name: 'redsync',
    version: 'v4.18.1',
    language: 'Go',
    folder: 'go',
    lib: 'redsync',
    slots: 1,
    url: 'https://pkg.go.dev/github.com/go-redsync/redsync/v4@v4.18.1',
    quote:
      'After this is successful, no one else can obtain the same lock (the same mutex name) until we unlock it.',
  },
  {
    name: 'Redisson',
    version: '4.7.0',
    language: 'Java',
    folder: 'java',
    lib: 'redisson',
    slots: 1,
    url: 'https://central.sonatype.com/artifact/org.redisson/redisson/4.7.0',
    quote:
      'If Redisson instance which acquired lock crashes then such lock could hang forever in acquired state.',
  },
];

/** The settings of a library: its default, or a timeout for each command, in milliseconds. */
export const SETTINGS = ['default', 'timeout'] as const;
export type Setting = (typeof SETTINGS)[number];
export const TIMEOUT_MS = 300;

/** Faults of the survey; StallByProxy: no byte passes between the service and Redis. */
export const FAULTS = [
  'Stall',
  'Disconnect',
  'DataLoss',
  'StallByProxy',
  'Refuse',
  'StalePrimary',
  'Failover',
] as const;
export type Fault = (typeof FAULTS)[number];

/** One run. */
export interface LockRun {
  readonly library: string;
  readonly setting: Setting;
  readonly fault: Fault;
  readonly at: string;
  /** Load of the machine at its start. */
  readonly load: number;
  readonly result: string;
  /** What contenders got, or why there is no result. */
  readonly summary: string;
}
