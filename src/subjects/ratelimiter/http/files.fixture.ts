/** Tries a burst of as many requests as the first argument says, and prints why it was not sent. */
import { sendBurst } from './burst.ts';
import { spread } from './burst-plan.ts';
import { ConnectionBudget } from './connection-budget.ts';

const count = Number(process.argv[2]);
const node = { name: 'nobody', host: '127.0.0.1', port: 1 };
const requests = spread([node], count, () => ({ method: 'GET', path: '/' }));
const plan = {
  requests,
  read: () => undefined,
  timeoutMs: 1000,
  budget: new ConnectionBudget(count).onBehalfOf('shop'),
};
await sendBurst(plan, new AbortController().signal).catch((error: unknown) => {
  process.stdout.write(error instanceof Error ? error.message : String(error));
});
