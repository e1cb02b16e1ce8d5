import type { ApiResult, callApi } from "./client.ts";
import type { OpenedSession } from "./contract.ts";
import type { ParentChannel } from "../parent/channel.ts";

/** The signed-in person's connection to the API. Keeps the session token in memory only and renews it. */
export interface Session {
  /**
   * Calls the API as this person. If the server answers 401, renews the token and repeats the call once. Fails with
   * `parent_silent` when the parent page gives no proof of identity.
   */
  call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<ApiResult<T>>;
}

/** The token is renewed this long before it expires, so that no click has to wait for it. */
const RENEW_EARLY_MS = 60_000;

export interface SessionDeps {
  proveIdentity: ParentChannel["proveIdentity"];
  callApi: typeof callApi;
}

/** Creates a session without a token. The first call gets one. */
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

  /** Calls that need a new token at the same time share one renewal. */
  function renew(): Promise<ApiResult<OpenedSession>> {
    renewal ??= open().finally(() => renewal = null);
    return renewal;
  }

  /** Checks the clock, because the renewal timer does not run while the computer sleeps. */
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

  return { call };
}

function lifetime(session: OpenedSession): number {
  return Date.parse(session.expiresAt) - Date.now();
}
