import type { ApiResult, callApi } from "./client.ts";
import type { OpenedSession } from "./contract.ts";
import type { ParentChannel } from "../parent/channel.ts";

/** The signed-in person's connection to the API. The token lives in memory only and is renewed by itself. */
export interface Session {
  /**
   * Calls the API as this person. A token that the server no longer takes is renewed and the call made once more.
   * Fails with `parent_silent` when the parent page hands out no identity.
   */
  call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<ApiResult<T>>;
  close(): void;
}

/** Renewed this long before the token ends, so that no click has to wait for it. */
const RENEW_EARLY_MS = 60_000;

export interface SessionDeps {
  proveIdentity: ParentChannel["proveIdentity"];
  callApi: typeof callApi;
}

/** Starts with no token; the first call gets one. */
export function createSession({ proveIdentity, callApi }: SessionDeps): Session {
  let current: OpenedSession | null = null;
  let renewal: Promise<ApiResult<OpenedSession>> | null = null;
  let renewalTimer: ReturnType<typeof setTimeout> | undefined;

  async function open(): Promise<ApiResult<OpenedSession>> {
    const proof = await proveIdentity();
    if (!proof.ok) return proof;
    const result = await callApi<OpenedSession>("POST", "/api/auth/session", { body: proof.data });
    if (result.ok) {
      current = result.data;
      clearTimeout(renewalTimer);
      renewalTimer = setTimeout(renew, Math.max(lifetime(current) - RENEW_EARLY_MS, lifetime(current) / 2));
    }
    return result;
  }

  /** However many calls need a new token at once, the parent is asked once. */
  function renew(): Promise<ApiResult<OpenedSession>> {
    renewal ??= open().finally(() => renewal = null);
    return renewal;
  }

  /** A timer may come late in a tab that slept, so the clock is asked again. */
  function isUsable(session: OpenedSession | null): session is OpenedSession {
    return session !== null && lifetime(session) > 0;
  }

  async function call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<ApiResult<T>> {
    const session: ApiResult<OpenedSession> = isUsable(current) ? { ok: true, data: current } : await renew();
    if (!session.ok) return session;
    const result = await callApi<T>(method, path, { token: session.data.token, body });
    if (result.ok || result.failure.status !== 401) return result;
    const renewed = await renew();
    return renewed.ok ? await callApi<T>(method, path, { token: renewed.data.token, body }) : renewed;
  }

  return { call, close: () => clearTimeout(renewalTimer) };
}

function lifetime(session: OpenedSession): number {
  return Date.parse(session.expiresAt) - Date.now();
}
