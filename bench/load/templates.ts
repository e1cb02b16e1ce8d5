/** Events as the Stripe simulator sends them, with places for what differs from event to event. */
import { serveSimulator } from "@dues/stripe-simulator";
import Stripe from "stripe";
import { PLACES } from "./event_series.ts";

export interface Templates {
  /** `customer.subscription.updated`: its price has changed. */
  subscription: string;
  /** `invoice.paid` of that subscription, for one more place: the number of the invoice. */
  invoice: string;
}

/** Stands in an invoice's id and number. */
export const INVOICE_PLACE = "@invoice@";

/** Lets a simulator make the events, so that they have the shape of the API version that the project uses. */
export async function captureTemplates(): Promise<Templates> {
  const simulator = await serveSimulator({ log: () => {} });
  try {
    const { host, port } = simulator;
    const stripe = new Stripe("sk_test_bench", { host, port, protocol: "http", telemetry: false });
    const product = await stripe.products.create({ name: "Plan" });
    const [basic, pro] = await Promise.all([1000, 2500].map((amount) =>
      stripe.prices.create({
        product: product.id,
        currency: "usd",
        unit_amount: amount,
        recurring: { interval: "month" },
      })
    ));
    const customer = await stripe.customers.create({
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const { id, items } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: basic.id }],
      // What @better-auth/stripe finds its own row by; the others do not read it.
      metadata: { userId: "user-KEY", referenceId: "user-KEY", subscriptionId: "subscription-KEY" },
    });
    await stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, price: pro.id }] });
    const newest = async (type: string) => (await stripe.events.list({ type, limit: 1 })).data[0];
    const updated = await newest("customer.subscription.updated");
    const paid = await newest("invoice.paid");
    const invoice = paid.data.object as Stripe.Invoice;
    const replacements: [string, string][] = [
      [id, `sub_bench${PLACES.key}`],
      [customer.id, `cus_bench${PLACES.key}`],
      [items.data[0].id, `si_bench${PLACES.key}`],
      [pro.id, PLACES.price],
      [basic.id, PLACES.previousPrice],
      ["-KEY", PLACES.key],
    ];
    return {
      subscription: withPlaces(updated, replacements),
      invoice: withPlaces(paid, [
        [invoice.id!, `in_bench${PLACES.key}${INVOICE_PLACE}`],
        [invoice.number!, `BENCH-${INVOICE_PLACE}`],
        // The invoice of the first price.
        ...replacements.map(([from, to]): [string, string] => [
          from,
          to === PLACES.previousPrice ? PLACES.price : to,
        ]),
      ]),
    };
  } finally {
    await simulator.stop();
  }
}

function withPlaces(event: Stripe.Event, replacements: [string, string][]): string {
  const copy = structuredClone(event) as { id: string; created: number; data: { object: unknown } };
  copy.id = PLACES.event;
  copy.created = PLACES.created;
  const subscription = copy.data.object as Partial<Stripe.Subscription>;
  for (const item of subscription.items?.data ?? []) item.current_period_end = PLACES.periodEnd;
  return replacements.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(copy));
}
