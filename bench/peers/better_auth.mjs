// @better-auth/stripe: `node better_auth.mjs prepare CUSTOMERS` or `… serve PORT`. BENCH_DB_URL and BENCH_SECRET say where
// and with what. It is to ask Stripe nothing: a request to the API would fail.
import { stripe } from "@better-auth/stripe";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import pg from "pg";
import Stripe from "stripe";
import { serve } from "./serving.mjs";

const pool = new pg.Pool({ connectionString: process.env.BENCH_DB_URL, max: 10 });
const options = {
  baseURL: "http://127.0.0.1",
  secret: "not-a-secret-of-anything-0123456789abcdef",
  database: pool,
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  logger: { level: "error" },
  emailAndPassword: { enabled: true },
  plugins: [stripe({
    stripeClient: new Stripe("sk_test_bench", {
      host: "127.0.0.1",
      port: 1,
      protocol: "http",
      telemetry: false,
      maxNetworkRetries: 0,
    }),
    stripeWebhookSecret: process.env.BENCH_SECRET,
    createCustomerOnSignUp: false,
    subscription: {
      enabled: true,
      plans: [{ name: "basic", priceId: "price_basic" }, { name: "pro", priceId: "price_pro" }],
    },
  })],
};

async function prepare(customers) {
  await (await getMigrations(options)).runMigrations();
  const keys = Array.from({ length: customers }, (_, n) => String(n).padStart(6, "0"));
  await pool.query(
    `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt", "stripeCustomerId")
     select 'user' || k, 'User ' || k, k || '@example.invalid', true, now(), now(), 'cus_bench' || k
     from unnest($1::text[]) k`,
    [keys],
  );
  await pool.query(
    `insert into subscription (id, plan, "referenceId", "stripeCustomerId", "stripeSubscriptionId", status)
     select 'subscription' || k, 'basic', 'user' || k, 'cus_bench' || k, 'sub_bench' || k, 'active'
     from unnest($1::text[]) k`,
    [keys],
  );
}

const [command, argument] = process.argv.slice(2);
if (command === "prepare") {
  await prepare(Number(argument));
  process.exit(0);
}
const handle = toNodeHandler(betterAuth(options));
serve(Number(argument), handle);
