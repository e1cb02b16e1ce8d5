import type Stripe from "stripe";
import { readCheckoutContext } from "../checkout/checkout_context.ts";
import { expireCheckoutSession } from "../checkout/checkout_session.ts";
import { ownerOf } from "../checkout/ownership.ts";
import { BillingError } from "../errors.ts";
import { communityIdSchema } from "../ids.ts";
import { listPart } from "./list_part.ts";
import { messageOf } from "./report.ts";
import type { Part, Run } from "./run.ts";

/** Expires open checkout sessions of communities with a subscription: paying one would be paying a second time. */
export function expireLeftOverSessions(run: Run): Part {
  return listPart<Stripe.Checkout.Session>(run, {
    name: "checkout_sessions",
    page: (params, options) => run.stripe.checkout.sessions.list({ ...params, status: "open" }, options),
    async compare(sessions) {
      for (const session of sessions) {
        try {
          if (await isLeftOver(run, session) && await expireCheckoutSession(run.stripe, session.id)) {
            run.report.expiredCheckoutSessions.push(session.id);
          }
        } catch (error) {
          if (error instanceof BillingError && error.code === "database_unavailable") throw error;
          run.report.failedObjects.push({ id: session.id, error: messageOf(error) });
        }
      }
    },
  });
}

async function isLeftOver({ db }: Run, session: Stripe.Checkout.Session): Promise<boolean> {
  const communityId = communityIdSchema.safeParse(ownerOf(session.metadata)).data;
  if (!communityId || session.client_reference_id !== communityId) return false;
  try {
    const { liveSubscription } = await readCheckoutContext(db, communityId, null);
    return liveSubscription !== null;
  } catch (error) {
    if (error instanceof BillingError && error.code === "unknown_community") return false;
    throw error;
  }
}
