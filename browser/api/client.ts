/** Why a call gave no data. `code` is the problem's stable code, or one of this file's own; status 0: no answer. */
export interface ApiFailure {
  status: number;
  code: string;
  /** The problem document with all its members, where the server sent one. */
  problem?: unknown;
}

export type ApiResult<T> = { ok: true; data: T } | { ok: false; failure: ApiFailure };

const TIMEOUT_MS = 20_000;

/**
 * Calls the plugin's own API. Everything that can go wrong is a value: a problem document keeps its code, no answer
 * in time is `network_error`, an answer that is no JSON is `unexpected_answer`.
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

/** A failed result with this code. */
export function failure(code: string, status = 0): { ok: false; failure: ApiFailure } {
  return { ok: false, failure: { status, code } };
}
