import type { IncomingHttpHeaders } from 'node:http';

/** One complete answer of a pod. */
export interface HttpAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly body: Buffer;
  readonly headers?: IncomingHttpHeaders;
  /** Whether the connection carries no further request. */
  readonly closes?: boolean;
}
