/**
 * A Stripe simulator and a database with the product between them, and a clock that only the test moves. The simulator
 * delivers no webhooks: the test takes its events and delivers them.
 */
import type { Pool } from "../../billing/db/sql.ts";
import Stripe from "stripe";
import { createCheckoutSession } from "../../billing/checkout/checkout.ts";
import { connectDatabase, type Database } from "../../billing/db/database.ts";
import { communityIdSchema } from "../../billing/ids.ts";
import { reconcile, type ReconcileOptions } from "../../billing/reconcile/reconciliation.ts";
import type { ReconcileReport } from "../../billing/reconcile/report.ts";
import { Deadline } from "../../billing/deadline.ts";
import { makeAllDue, settleOpenEvents } from "../../billing/events/open_events.ts";
import { handledEventTypes } from "../../billing/events/read_event.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { type Event, type RunningSimulator, serializeSnapshot, serveSimulator } from "@dues/stripe-simulator";
import { pay } from "@dues/stripe-simulator/testing";
import { addCommunities } from "../support/communities.ts";
import { createDatabase } from "../support/database.ts";
import { delivery, secrets } from "./stripe_stand_in.ts";
import { type Proxy, startProxy } from "./proxy.ts";

/** A migrated database that scenes use one after another. */
export interface Stage extends AsyncDisposable {
  operator: Pool;
  /** The address for the operator's role. */
  operatorUrl: string;
  /** The address for role `billing_service`, without the proxy. */
  url: string;
  /** As role `billing_service`, through the proxy. */
  db: Database;
  proxy: Proxy;
}

/** Prepares a database with a second paid plan, `team`, of higher rank and shorter grace than `pro`. */
export async function startStage(): Promise<Stage> {
  const database = await createDatabase();
  const operator = database.connect("postgres");
  const proxy = startProxy(database.cluster.port);
  const db = connectDatabase(proxy.through(database.url("billing_service")), { max: 6 });
  await operator`
    insert into public.plans (code, name, rank, price_cents, currency, billing_interval, grace_period)
    values ('team', 'Team', 20, 9900, 'usd', 'month', '2 days')`;
  return {
    operator,
    operatorUrl: database.url("postgres"),
    url: database.url("billing_service"),
    db,
    proxy,
    async [Symbol.asyncDispose]() {
      await db.close();
      await proxy[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

export type PlanName = "pro" | "team";
/** `addOn` is sold beside plans; no plan knows `unknown`. */
export type PriceName = PlanName | "addOn" | "unknown";

export interface Scene extends AsyncDisposable {
  stage: Stage;
  simulator: RunningSimulator;
  /** The test's own client. */
  stripe: Stripe;
  /** The product's dependencies. */
  deps: { db: Database; stripe: Stripe; isLive: boolean; parentAppUrl: string };
  prices: Record<PriceName, string>;
  /** Prices that a plan was sold at before. */
  formerPrices: { pro: string };
  /** All events of handled types, in the order in which they happened. */
  events: Event[];
  /** The community of every customer that there ever was. */
  owners: Map<string, string>;
  /** Stripe's clock, in unix seconds. */
  now(): number;
  /** Moves Stripe's clock, and lets everything happen that is due. */
  pass(seconds: number): Promise<void>;
  /** One delivery of an event, signed, in the API version of the endpoint. */
  deliver(event: Event, version?: string): Promise<Response>;
  /** An admin of the community clicks Upgrade. */
  click(communityId: string, planCode: string): Promise<{ sessionId: string }>;
  /** Tries what is recorded and not processed, as the schedule does when it is due. */
  settle(): Promise<void>;
  /** Covers everything, unless the options say otherwise. */
  reconcile(options?: ReconcileOptions): Promise<ReconcileReport>;
}

/** Empties the database and starts a simulator at the given time (default: now). */
export async function startScene(
  stage: Stage,
  { communities, startsAt = Math.floor(Date.now() / 1000) }: { communities: string[]; startsAt?: number },
): Promise<Scene> {
  const simulator = await serveSimulator({ log: () => {} });
  let clock = startsAt;
  const now = () => clock;
  const events: Event[] = [];
  const handled = new Set<string>(handledEventTypes);
  const owners = new Map<string, string>();
  const onEvent = (event: Event) => {
    if (handled.has(event.type)) events.push(event);
    if (event.type === "customer.created") {
      const { id, metadata } = event.data.object as Stripe.Customer;
      owners.set(id, metadata.dues_community_id);
    }
  };
  Object.assign(simulator.account, { now, onEvent });

  const stripe = connect(simulator, fetch);
  const deps = {
    db: stage.db,
    stripe: connect(simulator, (input, init) => withDate(fetch(input, init), clock)),
    isLive: false,
    parentAppUrl: "https://parent.example",
  };
  const { formerPro, ...prices } = await makePrices(stripe);
  await empty(stage.operator, prices, formerPro, communities);
  const handle = webhookHandler({ ...deps, secrets });

  return {
    stage,
    simulator,
    stripe,
    deps,
    prices,
    formerPrices: { pro: formerPro },
    events,
    owners,
    now,
    async pass(seconds) {
      clock += seconds;
      await stripe.products.list({ limit: 1 }); // on every request the simulator does first what is due
    },
    async deliver(event, version = Stripe.API_VERSION) {
      return await handle(await delivery(serializeSnapshot(event, version)));
    },
    click(communityId, planCode) {
      const session = {
        userId: "ann",
        communityId: communityIdSchema.parse(communityId),
        isAdmin: true,
        pluginId: null,
      };
      return createCheckoutSession(deps, session, { planCode, uiMode: "hosted" });
    },
    async settle() {
      await makeAllDue(deps);
      await settleOpenEvents(deps, Deadline.in(60_000));
    },
    reconcile: (options = { isFull: true }) => reconcile(deps, options),
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
}

/** A scene in which "garden", the first of two communities, has bought the pro plan. No event is delivered. */
export async function startSceneWithPurchase(
  stage: Stage,
  options: { startsAt?: number } = {},
): Promise<Scene> {
  const scene = await startScene(stage, { communities: ["garden", "chess"], ...options });
  const { sessionId } = await scene.click("garden", "pro");
  await pay(scene.simulator, sessionId);
  return scene;
}

function connect({ host, port }: RunningSimulator, fetchFn: typeof fetch): Stripe {
  return new Stripe("sk_test_scene", {
    host,
    port,
    protocol: "http",
    telemetry: false,
    maxNetworkRetries: 0,
    httpClient: Stripe.createFetchHttpClient(fetchFn as never),
  });
}

/** Dates an answer by the scene's clock, so that answers and events have the same clock. */
async function withDate(answer: Promise<Response>, seconds: number): Promise<Response> {
  const { body, status, headers } = await answer;
  const dated = new Headers(headers);
  dated.set("date", new Date(seconds * 1000).toUTCString());
  return new Response(body, { status, headers: dated });
}

/** Weekly prices, so that much happens within the 30 days that Stripe keeps events. */
async function makePrices(stripe: Stripe): Promise<Record<PriceName | "formerPro", string>> {
  const product = await stripe.products.create({ name: "Plan" });
  const price = async (interval: "week" | "day", unit_amount: number) =>
    (await stripe.prices.create({
      product: product.id,
      currency: "usd",
      unit_amount,
      recurring: { interval },
    })).id;
  return {
    pro: await price("week", 2900),
    team: await price("week", 9900),
    formerPro: await price("week", 1900),
    addOn: await price("week", 500),
    unknown: await price("week", 100),
  };
}

async function empty(
  operator: Pool,
  prices: Record<PriceName, string>,
  formerPro: string,
  communities: string[],
) {
  await operator`
    truncate public.communities, billing.stripe_events, billing.object_failures, billing.reconciliation_cursors, billing.anomalies, billing.reconciliations cascade`;
  await operator`truncate billing.plan_prices`;
  for (const price of [formerPro, prices.pro]) {
    await operator`update public.plans set stripe_price_id = ${price} where code = 'pro'`;
  }
  await operator`update public.plans set stripe_price_id = ${prices.team} where code = 'team'`;
  await addCommunities(operator, ...communities);
}
