/** No server listens: open connections are reset, and new ones refused. */
import { portState } from '../../client/data-port.ts';
import { counted, messageOf } from '../../text.ts';
import { pauseFor } from '../../waiting.ts';
import type { FaultType } from '../fault-type.ts';
import { confirmed, inconclusive, mismatch, type Proof } from '../proof.ts';
import { type Before, type Look, ProxiedFault } from '../proxied-fault.ts';

/** How long Redis may take to notice that a connection was reset, and how often that is checked; milliseconds. */
const NOTICED_WITHIN_MS = 1000;
const NOTICED_EVERY_MS = 50;

export class Refuse extends ProxiedFault {
  protected readonly type = 'Refuse';
  protected override readonly resets = true;

  protected async prove({ state, upstream }: Before): Promise<Proof> {
    const { proxy, tools } = this;
    const port = await portState(proxy.host, state.port);
    if (port === 'Accepted') {
      return mismatch(
        `Port ${state.port} of ${proxy.name} still accepts connections. Check whether another proxy replies in its place`,
      );
    }
    if (port === 'Silent') {
      return inconclusive(
        `A connection to port ${state.port} of ${proxy.name} was neither accepted nor refused. Check whether a NetworkPolicy or service mesh drops it`,
      );
    }
    try {
      const readMs = await tools.redis.read();
      const left = await this.#leftOf(upstream);
      if (left > 0) {
        return mismatch(
          `${tools.redis.name} still lists ${left} of ${counted(upstream.length, 'connection')} that were to be reset`,
        );
      }
      return confirmed(
        `A new connection was refused, ${tools.redis.name} lists none of the connections that were open before, and replied to a direct read within ${readMs.toFixed(1)} ms`,
      );
    } catch (error) {
      return inconclusive(`Whether ${tools.redis.name} itself replies is not known: ${messageOf(error)}`);
    }
  }

  protected async look({ state }: Before): Promise<Look> {
    const looks = { Accepted: 'Ended', Refused: 'Met', Silent: 'Unclear' } as const;
    return looks[await portState(this.proxy.host, state.port)];
  }

  async #leftOf(upstream: readonly string[]): Promise<number> {
    const before = new Set(upstream);
    const until = performance.now() + NOTICED_WITHIN_MS;
    for (;;) {
      const left = (await this.clients()).filter(({ addr }) => before.has(addr)).length;
      if (left === 0 || performance.now() > until) return left;
      await pauseFor(NOTICED_EVERY_MS, this.tools.lifetime);
    }
  }
}

export const refuse = {
  type: 'Refuse',
  meaning: 'no server listens, and open connections are reset',
  mechanisms: {
    Proxy: {
      title: 'Redis refuses connections',
      cause: 'store-connections-broken',
      create: (tools) => new Refuse(tools),
    },
  },
} as const satisfies FaultType;
