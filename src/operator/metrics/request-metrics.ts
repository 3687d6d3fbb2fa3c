/** Requests to the API server, under client-go's metric name. */
import type { MetricTable } from './metric-table.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Codes with their own series; any other is counted by its class, as 4xx, so that a proxy cannot create more. */
const CODES = [200, 201, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504].map(String);
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];

/** @returns a function that counts a request by the status of the response, or undefined if there was none */
export function createRequestMetrics(table: MetricTable): (method: string, status?: number) => void {
  const counted = table.counter(
    'rest_client_requests_total',
    'Requests to the API server by method and code of the response, or its class (4xx) if the code is rare; `<error>`: no response came.',
    { method: METHODS, code: [...CODES, ...CLASSES, '<error>'] },
  );
  return (method, status) => {
    const code = status === undefined ? '<error>' : String(status);
    counted({ method, code: CODES.includes(code) || status === undefined ? code : `${code[0]}xx` });
  };
}
