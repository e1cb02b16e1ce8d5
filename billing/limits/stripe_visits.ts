import type { CheckoutRequest } from "../checkout/checkout.ts";
import type { Session } from "../identity/session_token.ts";
import type { Caller, Rates } from "./rates.ts";
import type { StripeBudget } from "./stripe_budget.ts";
import { turns } from "./turns.ts";

/**
 * A visit takes a second or two, and twelve when Stripe does not answer. So many at once is more than a busy minute needs, and
 * few enough for memory and sockets.
 */
const TURNS = { max: 64, maxEach: 12, maxWaiting: 20, waitMs: 8_000 };

/**
 * What people do at Stripe, checkout and portal, within bounds: at most so many at once, communities in turn, each counted for its
 * community, person and address before Stripe is asked.
 */
export function stripeVisits({ limits, budget }: { limits: Rates; budget: StripeBudget }) {
  const queue = turns(TURNS);
  /** Checkouts under way, by what is asked. */
  const underWay = new Map<string, Promise<unknown>>();

  /** Who may not pay is refused by the visit itself, and waits for nobody. */
  const visit = <T>({ communityId, isAdmin }: Session, open: () => Promise<T>) =>
    isAdmin ? queue.run(communityId, () => budget.as("people", communityId, open)) : open();

  const callerOf = ({ communityId, userId }: Session, { address }: Caller): Caller => ({
    address,
    community: communityId,
    person: userId,
  });

  return {
    /** Equal requests of a community that come while one is under way share its answer, as clicks in two windows do. */
    async checkout<T>(
      session: Session,
      request: CheckoutRequest,
      caller: Caller,
      open: () => Promise<T>,
    ): Promise<T> {
      const { communityId, isAdmin, pluginId, slug } = session;
      // Whatever plugin id the browser names: it is no reason for another checkout.
      const key = JSON.stringify([communityId, isAdmin, pluginId, slug, request.planCode, request.uiMode]);
      const begun = (underWay.get(key) as Promise<T> | undefined) ?? begin();
      async function begin(): Promise<T> {
        await limits.take("checkout", callerOf(session, caller));
        return await visit(session, open);
      }
      underWay.set(key, begun);
      try {
        return await begun;
      } finally {
        if (underWay.get(key) === begun) underWay.delete(key);
      }
    },

    async portal<T>(session: Session, caller: Caller, open: () => Promise<T>): Promise<T> {
      await limits.take("portal", callerOf(session, caller));
      return await visit(session, open);
    },
  };
}
