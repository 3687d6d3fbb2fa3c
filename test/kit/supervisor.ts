import { Supervisor } from '@chaosdemo/testbed';
import { afterAll } from 'vitest';

/** A supervisor whose children and folders end with the tests of the file. */
export function supervisorOfFile(): Supervisor {
  const supervisor = new Supervisor();
  afterAll(() => supervisor.close());
  return supervisor;
}
