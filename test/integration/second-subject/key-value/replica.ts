/** How to speak to one replica. */
import type { TargetPod } from '../../../../src/subjects/targets/eligible-pods.ts';

export class Replica {
  readonly name: string;
  readonly address: string;
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor({ host, name, port }: TargetPod, timeoutMs: number) {
    this.name = name;
    this.address = `${host}:${port}`;
    this.#url = `http://${this.address}`;
    this.#timeoutMs = timeoutMs;
  }

  async isReady(): Promise<boolean> {
    return (await this.#send('GET', '/health')).status === 200;
  }

  /** Whether the write was acknowledged. */
  async write(key: string, value: string): Promise<boolean> {
    return (await this.#send('PUT', `/keys/${key}`, value)).status === 204;
  }

  async read(key: string): Promise<string | undefined> {
    const { body, status } = await this.#send('GET', `/keys/${key}`);
    return status === 200 ? body : undefined;
  }

  async remove(key: string): Promise<void> {
    await this.#send('DELETE', `/keys/${key}`);
  }

  /** Makes it deaf to its peers for so long. */
  async makeDeaf(ms: number): Promise<void> {
    const { status } = await this.#send('PUT', `/deaf?ms=${Math.round(ms)}`);
    if (status !== 204) throw new Error(`${this.name} answers ${status}`);
  }

  async endDeafness(): Promise<void> {
    await this.#send('DELETE', '/deaf');
  }

  /** How often it was made deaf. */
  async timesDeaf(): Promise<string> {
    return (await this.#send('GET', '/deaf')).body;
  }

  async #send(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, body: await answer.text() };
  }
}
