/** Requests to the API server, under client-go's metric name. */
import { Counter, type Registry } from 'prom-client';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Signs of an API server in trouble or throttling us: these start at 0, so that a rate is right. */
const ERROR_CODES = [429, 500, 503, 504];

/** Codes with their own series; any other is counted by its class, as 4xx, so that a proxy cannot create more. */
const CODES = new Set([200, 201, 400, 401, 403, 404, 409, 410, 413, 422, 502, ...ERROR_CODES]);

/** @returns a function that counts a request by the status of the response, or undefined if there was none */
export function createRequestMetrics(registry: Registry): (method: string, status?: number) => void {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by method and code of the answer, or its class (4xx) if the code is rare; `<error>`: no answer came.',
    labelNames: ['method', 'code'],
    registers: [registry],
  });
  for (const method of METHODS)
    for (const code of [...ERROR_CODES, '<error>']) requests.inc({ method, code }, 0);
  return (method, status) => {
    if (METHODS.includes(method)) requests.inc({ method, code: codeOf(status) });
  };
}

function codeOf(status: number | undefined): string {
  if (status === undefined) return '<error>';
  if (CODES.has(status)) return String(status);
  const group = Math.floor(status / 100);
  return group >= 1 && group <= 5 ? `${group}xx` : '<error>';
}
