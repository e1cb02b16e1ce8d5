import { connectDatabase } from "../../billing/db/database.ts";
import { Deadline } from "../../billing/deadline.ts";
import { settleOpenEvents } from "../../billing/events/open_events.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { addCommunities } from "../support/communities.ts";
import { createDatabase } from "../support/database.ts";
import { delivery, secrets, startStripeStandIn } from "./stripe_stand_in.ts";

/**
 * A webhook over a database in which community "garden" has customer cus_garden, and plan "pro" is sold at price_pro, plan
 * "basic", of lower rank, at price_basic.
 */
export async function setUpWebhook() {
  const database = await createDatabase();
  const standIn = startStripeStandIn();
  const operator = database.connect("postgres");
  const db = connectDatabase(database.url("billing_service"), { max: 10 });
  await operator`update public.plans set stripe_price_id = 'price_pro' where code = 'pro'`;
  await operator`
    insert into public.plans (code, name, rank, price_cents, currency, billing_interval, stripe_price_id)
    values ('basic', 'Basic', 5, 900, 'usd', 'month', 'price_basic')`;
  await addCommunities(operator, "garden");
  await operator`select billing.link_customer('garden', 'cus_garden')`;
  const deps = { db, stripe: standIn.stripe, isLive: false };
  const handle = webhookHandler({ ...deps, secrets });
  return {
    operator,
    standIn,
    handle,
    /** Tries the open events that are due; all of them, when the next attempt is not waited for. */
    async settleOpenEvents({ waits = false } = {}) {
      if (!waits) await db`select billing.make_all_due()`;
      return await settleOpenEvents(deps, Deadline.in(60_000));
    },
    async deliver(event: unknown) {
      const response = await handle(await delivery(event));
      const { outcome } = await response.json();
      return [response.status, outcome];
    },
    /** The plan in force of "garden". */
    async plan() {
      const [{ code }] = await operator`
        select p.code from public.communities c
        cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
        join public.plans p on p.id = f.plan_id where c.id = 'garden'`;
      return code;
    },
    /** The kinds of the anomalies that are open. */
    async anomalies() {
      const rows = await operator`select kind from billing.anomalies where resolved_at is null order by id`;
      return rows.map(({ kind }) => kind);
    },
    async [Symbol.asyncDispose]() {
      await db.close();
      await standIn[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}
