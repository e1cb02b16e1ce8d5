// @stripe/sync-engine: `node sync_engine.mjs prepare`, with a subscription event on standard input, or `… serve PORT`.
// BENCH_DB_URL and BENCH_SECRET say where and with what.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runMigrations, StripeSync } from "@stripe/sync-engine";
import pg from "pg";
import { bodyOf, serve } from "./serving.mjs";

const databaseUrl = process.env.BENCH_DB_URL;
const ACCOUNT = "acct_bench";
const logger = { info() {}, warn: console.warn, error: console.error };

const typeOf = (value) =>
  typeof value === "string"
    ? { type: "string" }
    : typeof value === "number"
    ? { type: "integer" }
    : typeof value === "boolean"
    ? { type: "boolean" }
    : { type: "object" };

// The tables' columns are the fields of these schemas.
function openApi(subscription) {
  const schema = (name, object) => ({
    type: "object",
    "x-resourceId": name,
    properties: Object.fromEntries(Object.entries(object).map(([field, value]) => [field, typeOf(value)])),
  });
  const item = subscription.items.data[0];
  return {
    openapi: "3.0.0",
    info: { version: "made from an event" },
    components: {
      schemas: {
        subscription: schema("subscription", subscription),
        // The engine stores an item's price as its id.
        subscription_item: schema("subscription_item", { ...item, price: item.price.id }),
      },
    },
  };
}

async function prepare() {
  const event = JSON.parse(await text(process.stdin));
  const folder = await mkdtemp(join(tmpdir(), "dues-bench-peer-"));
  try {
    const openApiSpecPath = join(folder, "openapi.json");
    await writeFile(openApiSpecPath, JSON.stringify(openApi(event.data.object)));
    await runMigrations({ databaseUrl, schemaName: "stripe", openApiSpecPath, logger });
  } finally {
    await rm(folder, { recursive: true });
  }
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query("insert into stripe.accounts (_raw_data) values ($1)", [
    JSON.stringify({ id: ACCOUNT }),
  ]);
  await client.end();
}

async function start(port) {
  const sync = await StripeSync.create({
    poolConfig: { connectionString: databaseUrl, max: 10 },
    schemaName: "stripe",
    stripeSecretKey: "sk_test_bench",
    stripeAccountId: ACCOUNT,
    stripeWebhookSecret: process.env.BENCH_SECRET,
    autoExpandLists: false,
    backfillRelatedEntities: false,
    logger,
  });
  serve(port, async (request, response) => {
    if (request.method !== "POST") return response.writeHead(405).end();
    await sync.webhook.processWebhook(await bodyOf(request), request.headers["stripe-signature"]);
    response.writeHead(200, { "content-type": "application/json" }).end('{"received":true}');
  });
}

const [command, port] = process.argv.slice(2);
if (command === "prepare") {
  await prepare();
  process.exit(0);
}
await start(Number(port));
