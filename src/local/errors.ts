/** What to do about errors of the laptop, in addition to those of the testbed. */
import type { Fix } from '@chaosdemo/testbed';

export const API_NOT_STARTED: Fix = {
  code: 'API_NOT_STARTED',
  remedy:
    'The command must start a server that listens on 127.0.0.1 or on all addresses, at the port in the variable PORT, and stays in the foreground. Run it by hand to see what it prints: PORT=3000 REDIS_URL=redis://127.0.0.1:6379 COMMAND.',
};

export const API_NOT_ON_REDIS: Fix = {
  code: 'API_NOT_ON_REDIS',
  remedy:
    'Have the API connect to the Redis in REDIS_URL, or name the Redis that it uses: --redis redis://127.0.0.1:6379. An API that counts in its memory has no Redis to stall.',
};
