/**
 * Stands between the operators and a Redis, or a Sentinel, of a lane: passes bytes on, notes the commands that matter, and
 * does to connections what the plan wants. The limiters have their own way to Redis.
 */
import type { Socket } from 'node:net';
import { type Address, Relay } from '../../kit/relay.ts';
import { WATCHED_AS } from '../../kit/sentinels.ts';
import { type CommandSent, now, type TortureRecord } from '../record.ts';
import type { LinkFault } from '../step.ts';
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
  readonly host: string;
  readonly #options: RedisProxyOptions;
  #relay!: Relay;

  private constructor(options: RedisProxyOptions, host: string) {
    this.#options = options;
    this.host = host;
  }

  static async start(options: RedisProxyOptions, port: number, host = '127.0.0.1'): Promise<RedisProxy> {
    const proxy = new RedisProxy(options, host);
    const at = { host, port };
    proxy.#relay = await Relay.start(options.upstream, at, (client, server) => proxy.#serve(client, server));
    return proxy;
  }

  get port(): number {
    return this.#relay.port;
  }

  /** A fault that is active for `ms`; a cut ends the connections there are, and new ones during it. */
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
      if (sent.some(isFault) && (await passing(lane, { boundary: 'pause', passed: false })) === 'drop') {
        client.destroy();
        return;
      }
      await this.weather.late('stall', 'delay');
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
      if (answered.some(isFault)) await passing(lane, { boundary: 'pause', passed: true });
      await this.weather.over('stall');
      await this.weather.late('hold', 'delay');
      if (client.destroyed) return;
      for (const command of answered) command.answeredAt = now();
      client.write(chunk);
    }
    client.end();
  }
}

/** Whether it is a separate fault. */
function isFault(command: CommandSent): boolean {
  return isPause(command) || isFailover(command);
}

function isPause({ args: [name = '', sub = ''] }: CommandSent): boolean {
  return name.toUpperCase() === 'CLIENT' && sub.toUpperCase() === 'PAUSE';
}

/** SENTINEL FAILOVER, but for one that only checks the right to send it. */
export function isFailover({ args: [name = '', sub = '', of] }: Pick<CommandSent, 'args'>): boolean {
  return name.toUpperCase() === 'SENTINEL' && sub.toUpperCase() === 'FAILOVER' && of === WATCHED_AS;
}

/** Pauses, their ends, failovers and probe writes; never the one that logs in, which holds a password. */
function isOfInterest(args: readonly string[]): boolean {
  const [name = '', sub = ''] = args;
  if (isFailover({ args })) return true;
  if (name.toUpperCase() === 'CLIENT') return /^(UN)?PAUSE$/i.test(sub);
  return name.toUpperCase() === 'SET';
}
