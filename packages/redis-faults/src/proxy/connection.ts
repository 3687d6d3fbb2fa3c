/**
 * One client's connection and the one to Redis behind it. Bytes pass in order, none is lost or added, and neither side
 * can have more than a few buffers waiting here.
 */
import { connect, type Socket } from 'node:net';
import { formatAddr } from '../client/address.ts';
import { HeldBytes } from './held-bytes.ts';
import { ReplyScanner } from './replies.ts';
import { RequestScanner } from './requests.ts';

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** Connecting to Redis takes no longer, in milliseconds; then the client's connection ends, too. */
const CONNECT_WITHIN_MS = 5000;
/** Commands that are answered before the client has to take the answers. */
const MOST_AT_ONCE = 500;

/** What a former primary answers to a write, https://redis.io/docs/latest/operate/oss_and_stack/management/replication/ */
const READONLY = "-READONLY You can't write against a read only replica.\r\n";
const PONG = '+PONG\r\n';

export class ProxiedConnection {
  /** Address of the client; that of this end of the connection to Redis, once it is made. */
  readonly client: string;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #requests = new RequestScanner();
  readonly #replies = new ReplyScanner();
  /** Commands that Redis has and has not replied to. */
  #pending = 0;
  #isCountable = true;
  #isStale = false;
  /** Of a stale connection: the rest of a command of which Redis has the beginning is still to come. */
  #isPassingRest = false;
  /** Requests to a stale connection that are not answered yet: at most one chunk. */
  #held: Buffer | undefined;
  readonly #toRedis = new HeldBytes({
    pass: (chunk) => this.#onRequest(chunk),
    end: () => this.#upstream.end(),
    pause: () => this.#client.pause(),
    resume: () => this.#resumeClient(),
  });
  readonly #toClient = new HeldBytes({
    pass: (chunk) => this.#onReply(chunk),
    end: () => this.#client.end(),
    pause: () => this.#upstream.pause(),
    resume: () => this.#resumeUpstream(),
  });
  /** Without the fault that holds it back, its client would not be connected. */
  #isPhantom = false;

  /** @param onEnd called once both connections have ended */
  constructor(client: Socket, to: Upstream, onEnd: () => void) {
    this.#client = client;
    this.client = formatAddr(client.remoteAddress, client.remotePort);
    this.#upstream = connect({ ...to, noDelay: true, allowHalfOpen: true, keepAlive: true });
    client.setNoDelay(true).setKeepAlive(true, 60_000);
    const timer = setTimeout(() => this.reset(), CONNECT_WITHIN_MS);
    this.#upstream.once('connect', () => clearTimeout(timer));
    let open = 2;
    for (const [socket, bytes] of [
      [client, this.#toRedis],
      [this.#upstream, this.#toClient],
    ] as const) {
      socket.on('error', () => this.reset());
      socket.on('data', (chunk: Buffer) => bytes.take(chunk));
      socket.on('end', () => (this.#isPhantom ? this.reset() : bytes.end()));
      socket.on('close', () => {
        clearTimeout(timer);
        open -= 1;
        if (open === 0) onEnd();
      });
    }
    client.on('drain', () => this.#resumeUpstream());
    this.#upstream.on('drain', () => this.#resumeClient());
  }

  /** The address of this end of the connection to Redis, as Redis sees it; undefined before there is one. */
  get upstream(): string | undefined {
    const { localAddress, localPort } = this.#upstream;
    return localPort === undefined ? undefined : formatAddr(localAddress, localPort);
  }

  /** Ends both connections at once; the client sees a reset. */
  reset(): void {
    this.#toRedis.clear();
    this.#toClient.clear();
    this.#client.resetAndDestroy();
    this.#upstream.destroy();
  }

  /**
   * From now on nothing passes, in either direction, until `release`.
   * @param isNew it was made while nothing passes: in a network that drops packets it would not exist, so if its client
   * gives up, what it has sent never reaches Redis
   */
  hold(isNew: boolean): void {
    this.#isPhantom = isNew;
    this.#toRedis.delay(Number.POSITIVE_INFINITY);
    this.#toClient.delay(Number.POSITIVE_INFINITY);
  }

  /** From now on whatever the client sends reaches Redis this much later, in milliseconds. */
  delay(ms: number): void {
    this.#toRedis.delay(ms);
  }

  /**
   * Passes on at once what `hold` or `delay` made wait. A stale connection ends, after the client has what was written to
   * it.
   */
  release(): void {
    if (this.#isStale) {
      this.#client.destroySoon();
      this.#upstream.destroy();
      return;
    }
    this.#isPhantom = false;
    this.#toRedis.release();
    this.#toClient.release();
  }

  /**
   * From now on commands are answered as by a former primary, after all replies that are still to come from Redis.
   * @returns whether that is possible: not if the bytes are no commands, or replies cannot be counted
   */
  makeStale(): boolean {
    if (!this.#isCountable || this.#client.destroyed) return false;
    this.#isStale = true;
    this.#isPassingRest = !this.#requests.isBetween;
    return true;
  }

  #onRequest(chunk: Buffer): void {
    if (!this.#isStale) return this.#pass(chunk);
    if (!this.#isPassingRest) return this.#hold(chunk);
    const end = this.#requests.next(chunk, 0);
    if (end === undefined) return this.#write(chunk);
    this.#isPassingRest = false;
    this.#countRequest();
    this.#write(chunk.subarray(0, end));
    if (end < chunk.length) this.#hold(chunk.subarray(end));
  }

  #pass(chunk: Buffer): void {
    if (this.#isCountable) {
      let at: number | undefined = 0;
      while ((at = this.#requests.next(chunk, at)) !== undefined) this.#countRequest();
      this.#isCountable = !this.#requests.isBroken;
    }
    this.#write(chunk);
  }

  #countRequest(): void {
    if (this.#requests.kind !== 'Nothing') this.#pending += 1;
  }

  #write(chunk: Buffer): void {
    if (!this.#upstream.write(chunk)) this.#client.pause();
  }

  #onReply(chunk: Buffer): void {
    if (this.#isCountable) {
      this.#pending -= this.#replies.count(chunk);
      // More replies than requests: something was not understood.
      this.#isCountable = !this.#replies.isBroken && this.#pending >= 0;
      if (!this.#isCountable && this.#isStale) return this.reset();
    }
    if (!this.#client.write(chunk)) this.#upstream.pause();
    if (this.#held !== undefined) this.#answer();
  }

  #hold(chunk: Buffer): void {
    this.#held = chunk;
    this.#client.pause();
    this.#answer();
  }

  /** Answers held commands, once Redis has replied to all before them. */
  #answer(): void {
    if (this.#held === undefined || this.#pending > 0 || this.#client.destroyed) return;
    let [at, answers] = [0, ''];
    for (let i = 0; i < MOST_AT_ONCE; i += 1) {
      const end = this.#requests.next(this.#held, at);
      if (this.#requests.isBroken) return this.reset();
      at = end ?? this.#held.length;
      if (end === undefined) break;
      if (this.#requests.kind === 'Nothing') continue;
      answers += this.#requests.kind === 'Ping' ? PONG : READONLY;
    }
    const rest = this.#held.subarray(at);
    this.#held = rest.length > 0 ? rest : undefined;
    const proceed = (): void => (this.#held === undefined ? this.#resumeClient() : this.#answer());
    if (answers === '' || this.#client.write(answers)) setImmediate(proceed);
    else this.#client.once('drain', proceed);
  }

  #resumeClient(): void {
    const isBusy = this.#held !== undefined || this.#toRedis.isFull || this.#upstream.writableNeedDrain;
    if (!isBusy) this.#client.resume();
  }

  #resumeUpstream(): void {
    if (!this.#toClient.isFull && !this.#client.writableNeedDrain) this.#upstream.resume();
  }
}
