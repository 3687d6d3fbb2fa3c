/** Errors of the laptop: with a code for scripts, and what to do. */
import { TestbedError } from '@chaosdemo/testbed';

const remedies = {
  API_NOT_STARTED:
    'The command must start a server that listens on 127.0.0.1 or on all addresses, at the port in the variable PORT, and stays in the foreground. Run it by hand to see what it prints: PORT=3000 REDIS_URL=redis://127.0.0.1:6379 COMMAND.',
  API_NOT_ON_REDIS:
    'Have the API connect to the Redis in REDIS_URL, or name the Redis that it uses: --redis redis://127.0.0.1:6379. An API that counts in its memory has no Redis to stall.',
} as const;

/** Its `message` states what happened, `remedy` what to do. Carries no secret. */
export class LocalError extends TestbedError {
  constructor(code: keyof typeof remedies, message: string, options?: { cause?: unknown }) {
    super({ code, remedy: remedies[code] }, message, options);
  }
}
