import type { Change } from "../account/change.ts";
import { expireCheckout } from "./checkout.ts";

/** Ends the open checkout sessions whose time is over. */
export function expireDueSessions(change: Change) {
  for (const session of change.account.checkoutSessions.oldestFirst()) {
    if (session.status === "open" && session.expires_at <= change.now) expireCheckout(change, session);
  }
}
