/**
 * Stands between the operators and the Redis of a lane: passes bytes on, notes the commands that matter, and
 * does to connections what the plan wants. The limiters have their own way to Redis.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, Relay } from '../../kit/relay.ts';
import type { LinkFault } from '../plan.ts';
import { type CommandSent, now, type TortureRecord } from '../record.ts';
import { CommandReader } from './commands.ts';
import { type Passing, Weather } from './weather.ts';

export interface RedisProxyOptions {
  readonly lane: number;
  readonly upstream: Address;
  readonly record: () => TortureRecord;
  readonly passing: Passing;
}

export class RedisProxy {
  readonly weather = new Weather<LinkFault>();
  readonly host = '127.0.0.1';
  readonly #options: RedisProxyOptions;
  #relay!: Relay;

  private constructor(options: RedisProxyOptions) {
    this.#options = options;
  }

  static async start(options: RedisProxyOptions, port: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(options);
    const at = { host: proxy.host, port };
    proxy.#relay = await Relay.start(options.upstream, at, (client, server) => proxy.#serve(client, server));
    return proxy;
  }

  get port(): number {
    return this.#relay.port;
  }

  /** A fault that is on for `ms`; a cut ends the connections there are, and those that come meanwhile. */
  begin(fault: LinkFault, ms: number): void {
    this.weather.begin(fault, ms);
    if (fault === 'cut') this.#relay.cut();
  }

  async stop(): Promise<void> {
    this.#relay.stop();
  }

  #serve(client: Socket, server: Socket): void {
    if (this.weather.has('cut')) client.destroy();
    const open: CommandSent[] = [];
    void this.#there(client, server, open).catch(() => client.destroy());
    void this.#back(server, client, open).catch(() => server.destroy());
  }

  async #there(client: Socket, server: Socket, open: CommandSent[]): Promise<void> {
    const { lane, passing, record } = this.#options;
    const reader = new CommandReader();
    for await (const chunk of client as AsyncIterable<Buffer>) {
      const at = now();
      const sent = reader
        .read(chunk)
        .filter(isOfInterest)
        .map((args) => record().note<CommandSent>({ kind: 'sent', at, lane, args }));
      const pauses = sent.some(isPause);
      if (pauses && (await passing(lane, { boundary: 'pause', passed: false })) === 'drop') {
        client.destroy();
        return;
      }
      await this.weather.over('stall');
      const delay = this.weather.delayOf('delay');
      if (delay > 0) await sleep(delay);
      if (server.destroyed) return;
      for (const command of sent) command.passedAt = now();
      open.push(...sent);
      server.write(chunk);
    }
    server.end();
  }

  async #back(server: Socket, client: Socket, open: CommandSent[]): Promise<void> {
    const { lane, passing } = this.#options;
    for await (const chunk of server as AsyncIterable<Buffer>) {
      const answered = open.splice(0);
      if (answered.some(isPause)) await passing(lane, { boundary: 'pause', passed: true });
      await this.weather.over('stall');
      await this.weather.over('hold');
      const delay = this.weather.delayOf('delay');
      if (delay > 0) await sleep(delay);
      if (client.destroyed) return;
      for (const command of answered) command.answeredAt = now();
      client.write(chunk);
    }
    client.end();
  }
}

function isPause({ args: [name = '', sub = ''] }: CommandSent): boolean {
  return name.toUpperCase() === 'CLIENT' && sub.toUpperCase() === 'PAUSE';
}

/** Pauses, their ends and probe writes; never the one that logs in, which holds a password. */
function isOfInterest([name = '', sub = '']: readonly string[]): boolean {
  if (name.toUpperCase() === 'CLIENT') return /^(UN)?PAUSE$/i.test(sub);
  return name.toUpperCase() === 'SET';
}
