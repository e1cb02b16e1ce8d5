/**
 * Why a call failed. `code` is the code of the server's problem document, or one that the browser sets itself, such as
 * `network_error`. `status` is 0 when there was no answer.
 */
export interface ApiFailure {
  status: number;
  code: string;
  /** The body of the server's answer: a problem document (RFC 9457) with all its members. */
  problem?: unknown;
}

export type ApiResult<T> = { ok: true; data: T } | { ok: false; failure: ApiFailure };

const TIMEOUT_MS = 20_000;

/**
 * Calls the plugin's API. Never rejects: a problem document is a failure with its code, no answer within 20 seconds is
 * `network_error`, an answer that is not JSON is `unexpected_answer`.
 */
export async function callApi<T>(
  method: "GET" | "POST",
  path: string,
  { token, body }: { token?: string; body?: unknown } = {},
): Promise<ApiResult<T>> {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { "content-type": "application/json" } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.json();
    if (response.ok) return { ok: true, data: answer };
    const code = answer?.code ?? "unexpected_answer";
    return { ok: false, failure: { status: response.status, code, problem: answer } };
  } catch (error) {
    return failure(error instanceof SyntaxError ? "unexpected_answer" : "network_error");
  }
}

/** A failed result with this code. Status 0 stands for no answer. */
export function failure(code: string, status = 0): { ok: false; failure: ApiFailure } {
  return { ok: false, failure: { status, code } };
}
