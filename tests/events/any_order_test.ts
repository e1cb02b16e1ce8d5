import assert from "node:assert/strict";
import fc from "fast-check";
import { connectDatabase } from "../../billing/db/database.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { addCommunities } from "../support/communities.ts";
import { createDatabase } from "../support/database.ts";
import { delivery, secrets, startStripeStandIn, stripeEvent, subscription } from "./stripe_stand_in.ts";

const statuses = ["incomplete", "trialing", "active", "past_due", "unpaid", "paused"];

/** The states of a subscription in order, each some seconds (often none) after the one before. */
const life = fc.record({
  steps: fc.array(
    fc.record({ status: fc.constantFrom(...statuses), secondsLater: fc.nat({ max: 2 }) }),
    { minLength: 1, maxLength: 6 },
  ),
  ends: fc.boolean(),
});

Deno.test("a subscription ends up as Stripe has it, in any order and repetition of its events", async () => {
  await using database = await createDatabase();
  await using standIn = startStripeStandIn();
  const operator = database.connect("postgres");
  const db = connectDatabase(database.url("billing_service"), { max: 10 });
  const handle = webhookHandler({ db, stripe: standIn.stripe, isLive: false, secrets });
  await operator`update public.plans set stripe_price_id = 'price_pro' where code = 'pro'`;
  await addCommunities(operator, "garden");
  await operator`select billing.link_customer('garden', 'cus_garden')`;

  const deliverUntilAccepted = async (event: unknown) => {
    const response = await handle(await delivery(event));
    assert.equal(response.status, 200, await response.text());
  };

  try {
    await fc.assert(
      fc.asyncProperty(
        life,
        fc.infiniteStream(fc.nat()),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.boolean(),
        async ({ steps, ends }, keys, repeats, atOnce) => {
          const id = `sub_${crypto.randomUUID()}`;
          let created = 1_700_000_000;
          const states = [...steps, ...(ends ? [{ status: "canceled", secondsLater: 1 }] : [])].map(
            ({ status, secondsLater }, index) => ({
              created: created += secondsLater,
              // Distinguishes states with the same status, to see which one is stored.
              object: subscription(status, { id, trial_end: 1_600_000_000 + index }),
            }),
          );
          const truth = states.at(-1)!.object;
          standIn.objects.set(id, truth);

          const events = states.map(({ created, object }) =>
            stripeEvent("customer.subscription.updated", created, object)
          );
          const deliveries = [...events, ...repeats.map((nth) => events[nth % events.length])]
            .map((event) => ({ event, key: keys.next().value }))
            .sort((a, b) => a.key - b.key);
          if (atOnce) await Promise.all(deliveries.map(({ event }) => deliverUntilAccepted(event)));
          else for (const { event } of deliveries) await deliverUntilAccepted(event);

          const [row] = await operator`
            select s.status, extract(epoch from s.trial_end)::int as mark from public.subscriptions s where s.id = ${id}`;
          assert.deepEqual({ ...row }, { status: truth.status, mark: truth.trial_end });
          const [{ open }] = await operator`
            select count(*)::int as open from billing.stripe_events where object_id = ${id} and outcome in ('pending', 'failed', 'parked')`;
          assert.equal(open, 0);
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    await db.close();
  }
});
