/** Servers for the tests of programs that use this package: they answer as a test requires. */
export * from './answering-redis.fixture.ts';
export * from './fake-store.fixture.ts';
export * from './hostile-redis.fixture.ts';
