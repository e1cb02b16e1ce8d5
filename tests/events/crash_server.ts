/**
 * Webhook and checkout in a process of their own, which tests kill. `deno run -A crash_server.ts DATABASE STRIPE` prints its
 * address when it is ready. `POST /webhook` takes deliveries; `POST /click?community=…` is an admin's click on Upgrade.
 */
import { createCheckoutSession } from "../../billing/checkout/checkout.ts";
import { connectDatabase } from "../../billing/db/database.ts";
import { communityIdSchema } from "../../billing/ids.ts";
import { problemOf } from "../../billing/http/problem.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { secrets } from "./stripe_stand_in.ts";

const [databaseUrl, apiBase] = Deno.args;
const db = connectDatabase(databaseUrl, { max: 2 });
const stripe = connectStripe({ secretKey: "sk_test_crash", apiBase });
const handleWebhook = webhookHandler({ db, stripe, isLive: false, secrets });

async function click(communityId: string): Promise<Response> {
  const session = {
    userId: "ann",
    communityId: communityIdSchema.parse(communityId),
    isAdmin: true,
    pluginId: null,
  };
  try {
    const request = { planCode: "pro", uiMode: "hosted" as const };
    const deps = { db, stripe, isLive: false, parentAppUrl: "https://parent.example" };
    return Response.json(await createCheckoutSession(deps, session, request));
  } catch (error) {
    return problemOf(error);
  }
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, (request) => {
  const { pathname, searchParams } = new URL(request.url);
  return pathname === "/webhook" ? handleWebhook(request) : click(searchParams.get("community")!);
});
