/**
 * Turns a KubeConfig into the parts of a request: an origin, headers with the current credentials, and pooled
 * connections.
 *
 * client-node itself builds a new TLS connection for every call; here two pools live as long as the TLS material stays
 * the same. Watches have a separate pool, without a limit, so that they never take the connections of requests.
 */
import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';

/**
 * A warning for the user if the connection to the API server is insecure; undefined if it is not. The kubeconfig is
 * followed, as kubectl does, but not silently.
 */
export function warningOf(config: KubeConfig): string | undefined {
  const cluster = config.getCurrentCluster();
  if (!cluster) return undefined;
  const name = `The kubeconfig has no certificate checked for ${cluster.server}`;
  if (cluster.skipTLSVerify) {
    return `${name} (insecure-skip-tls-verify): any host on the network path can read the token and respond in its place. Give it certificate-authority-data`;
  }
  const plain = cluster.server.startsWith('http://');
  return plain
    ? `${name}, since it is plain HTTP: any host on the network path can read the token and respond in its place. Use HTTPS`
    : undefined;
}

interface Pools {
  /** For requests with an end: a bounded number of connections. */
  requests: Dispatcher;
  /** For watches: one connection each while they last. */
  streams: Dispatcher;
}

/** The parts of a request. */
export interface Channel extends Pools {
  /** Scheme, host and port of the API server. */
  origin: string;
  /** Path before `/api`, for a server behind a path of a proxy; usually ''. */
  basePath: string;
  headers: Record<string, string>;
}

/** How long a channel is reused: reading and hashing certificates costs more than the rest of a request. */
const CHANNEL_MS = 1000;

/**
 * Creates {@link Channel}s. Tokens are re-read as KubeConfig does it (a token file every minute, an exec plugin when
 * its credential expires); changed certificates get new pools, and the old ones end with their last request.
 */
export class Transport {
  readonly #config: KubeConfig;
  readonly #connections: number;
  #pools: (Pools & { readonly fingerprint: string }) | undefined;
  #channel: { readonly opened: Promise<Channel>; until: number } | undefined;
  #closed = false;

  constructor(config: KubeConfig, connections: number) {
    this.#config = config;
    this.#connections = connections;
  }

  /** @throws any error of the credential plugin or an unreadable certificate file; an Error after `close`. */
  async open(): Promise<Channel> {
    if (this.#channel === undefined || performance.now() > this.#channel.until) {
      const opening = { opened: this.#open(), until: Infinity };
      this.#channel = opening;
      // Concurrent requests share one run of an exec plugin, but not an earlier failure.
      opening.opened.then(
        () => {
          opening.until = performance.now() + CHANNEL_MS;
        },
        () => {
          opening.until = 0;
        },
      );
    }
    const channel = await this.#channel.opened;
    if (this.#closed) throw new Error('The Kubernetes client is closed.');
    return channel;
  }

  async #open(): Promise<Channel> {
    const cluster = this.#config.getCurrentCluster();
    if (cluster === null) throw new Error('The kubeconfig has no cluster for its current context.');
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    if (this.#closed) throw new Error('The Kubernetes client is closed.');

    const { requests, streams } = this.#poolsFor(options);
    const url = new URL(cluster.server);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
    if (typeof options.auth === 'string') {
      headers['Authorization'] ??= `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    return {
      origin: url.origin,
      basePath: url.pathname.replace(/\/+$/, ''),
      headers,
      requests,
      streams,
    };
  }

  /** Cuts all connections, except those of requests with earlier certificates. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#pools?.requests.destroy(), this.#pools?.streams.destroy()]);
    this.#pools = undefined;
  }

  #poolsFor(options: RequestOptions): Pools {
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
    // JSON spells out the bytes of buffers, so a changed certificate changes the hash.
    const fingerprint = createHash('sha256').update(JSON.stringify(tls)).digest('hex');
    if (this.#pools?.fingerprint === fingerprint) return this.#pools;

    // These end with their last request.
    void this.#pools?.requests.close();
    void this.#pools?.streams.close();
    this.#pools = {
      fingerprint,
      requests: this.#connect(tls, this.#connections),
      streams: this.#connect(tls, null),
    };
    return this.#pools;
  }

  #connect(tls: object, connections: number | null): Dispatcher {
    const defined = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
    const target = this.#config.createDispatcherOptions(this.#config.getCurrentCluster(), defined);
    if (target.type === 'socks') {
      throw new Error('A SOCKS proxy in the kubeconfig (proxy-url) is not supported; use an HTTP proxy.');
    }
    const pool = {
      connections,
      // The API server closes idle connections after 90 s or more; undici's own default of 4 s would
      // make nearly every lease renewal a new TLS handshake.
      keepAliveTimeout: 30_000,
      // HTTP/1.1: one broken connection then breaks one request, not all of them at once.
      allowH2: false,
    };
    // TCP keepalive from 20 s of silence on: Node probes each second, ten times, so a vanished peer is noticed after
    // about 30 s even by a watch that waits for nothing but data.
    const connect = { keepAlive: true, keepAliveInitialDelay: 20_000, timeout: 10_000, allowH2: false };
    if (target.type === 'proxy') {
      const requestTls = { ...target.requestTls, ...connect } as buildConnector.BuildOptions;
      return new ProxyAgent({ ...pool, uri: target.uri, requestTls, connect });
    }
    return new Agent({ ...pool, connect: { ...defined, ...connect } });
  }
}
