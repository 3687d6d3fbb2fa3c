import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecure } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The connector of ioredis has no option for a source address. */
export function connectorFrom(
  localAddress: string,
  tls?: ConnectionOptions,
): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    readonly #to: Address;

    constructor(options: unknown) {
      super(0);
      this.#to = options as Address;
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const plain = connect({ ...this.#to, localAddress });
      const socket = tls ? connectSecure({ ...tls, socket: plain }) : plain;
      this.stream = socket;
      return socket;
    }
  };
}
