import type { Context } from "fresh";
import type { Session } from "../billing/identity/session_token.ts";
import { bearerToken } from "../billing/http/bearer_token.ts";
import { noteCommunity } from "../billing/http/request_log.ts";
import type { Caller } from "../billing/limits/rates.ts";
import { clientAddress } from "./client_address.ts";
import type { State } from "./page_context.ts";

/** The session of a request, whose community the log then names. Throws what `authenticate` throws. */
export async function sessionOf(
  { req, state }: Context<State>,
  options?: { maxAgeSeconds?: number },
): Promise<Session> {
  const session = await state.billing.authenticate(bearerToken(req), options);
  noteCommunity(req, session.communityId);
  return session;
}

/** The same for what costs money: the session must be two minutes old at most. */
export const moneySessionOf = (ctx: Context<State>): Promise<Session> =>
  sessionOf(ctx, { maxAgeSeconds: ctx.state.billing.moneySessionSeconds });

/** Whom limits count a request for, before its session is known. */
export const callerOf = ({ req, state }: Context<State>): Caller => ({
  address: clientAddress(req, state.trustedProxies),
});
