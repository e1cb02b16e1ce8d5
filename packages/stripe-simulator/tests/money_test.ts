// Invoices, charges and balance must add up after any sequence of actions.
import assert from "node:assert/strict";
import fc from "fast-check";
import type Stripe from "stripe";
import {
  at,
  changeCard,
  type ClockSimulator,
  configure,
  createPayer,
  createPro,
  startSimulatorWithClock,
} from "../testing.ts";

/** An action on a customer's subscription. */
type Action =
  | { kind: "advance"; days: number }
  | { kind: "card"; isGood: boolean }
  | { kind: "plan"; price: number; proration: "always_invoice" | "create_prorations" | "none" }
  | { kind: "quantity"; quantity: number; proration: "always_invoice" | "create_prorations" | "none" }
  | { kind: "use"; value: number }
  | { kind: "cycle" }
  | { kind: "trial"; days: number }
  | { kind: "cancel"; prorate: boolean; invoiceNow: boolean }
  | { kind: "end"; isScheduled: boolean }
  | { kind: "pause" }
  | { kind: "subscribe"; price: number; trialDays: number }
  | { kind: "close"; how: "markUncollectible" | "pay" | "voidInvoice" };

const proration = fc.constantFrom("always_invoice" as const, "create_prorations" as const, "none" as const);
const price = fc.nat(2);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), days: fc.integer({ min: 1, max: 45 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("card" as const), isGood: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("plan" as const), price, proration }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("quantity" as const),
      quantity: fc.integer({ min: 1, max: 9 }),
      proration,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("use" as const), value: fc.integer({ min: 1, max: 999 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cycle" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("trial" as const), days: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("cancel" as const),
      prorate: fc.boolean(),
      invoiceNow: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), isScheduled: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pause" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("subscribe" as const),
      price,
      trialDays: fc.constantFrom(0, 0, 10),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("close" as const),
      how: fc.constantFrom("markUncollectible" as const, "pay" as const, "voidInvoice" as const),
    }),
  },
);

const daySeconds = 86_400;

/** One customer with three plans, a metered price, and all reported usage. */
class RandomHistory {
  readonly used: { value: number; when: number }[] = [];
  now = at("2026-01-31T12:00:00Z");
  #rig: ClockSimulator;
  #customer = "";
  #prices: string[] = [];
  #usage = "";

  constructor(rig: ClockSimulator) {
    this.#rig = rig;
  }

  async start() {
    const { stripe } = this.#rig;
    await configure(this.#rig, { retry_after_days: [2, 3], after_last_retry: "mark_unpaid" });
    const { id: meter } = await stripe.billing.meters.create({
      display_name: "Messages",
      event_name: "message",
      default_aggregation: { formula: "sum" },
    });
    const amounts = [900, 1999, 12345];
    this.#prices = (await Promise.all(amounts.map((unit_amount) => createPro(stripe, { unit_amount })))).map((
      { id },
    ) => id);
    const recurring = { interval: "month", usage_type: "metered", meter } as const;
    this.#usage = (await createPro(stripe, { unit_amount: 3, recurring })).id;
    this.#customer = (await createPayer(this.#rig)).id;
  }

  /**
   * Performs an action. Stripe can refuse it, for example when nothing is to be paid; the amounts must add up then
   * too.
   */
  async perform(action: Action) {
    try {
      await this.#try(action);
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === undefined || statusCode >= 500) throw error;
    }
  }

  async #try(action: Action): Promise<unknown> {
    const { stripe } = this.#rig;
    const live = (await stripe.subscriptions.list({ customer: this.#customer })).data
      .find(({ status }) => status !== "incomplete_expired");
    const item = live?.items.data.find(({ price }) => price.recurring?.usage_type === "licensed");
    switch (action.kind) {
      case "advance":
        this.now += action.days * daySeconds;
        return await this.#rig.advanceTo(this.now);
      case "card":
        return await changeCard(
          this.#rig,
          this.#customer,
          action.isGood ? "pm_card_visa" : "pm_card_chargeCustomerFail",
        );
      case "use":
        await stripe.billing.meterEvents.create({
          event_name: "message",
          payload: { stripe_customer_id: this.#customer, value: String(action.value) },
        });
        return this.used.push({ value: action.value, when: this.now });
      case "subscribe":
        if (live) return;
        return await stripe.subscriptions.create({
          customer: this.#customer,
          items: [{ price: this.#prices[action.price] }, { price: this.#usage }],
          ...(action.trialDays ? { trial_period_days: action.trialDays } : {}),
        });
      case "close": {
        const [open] = (await stripe.invoices.list({ customer: this.#customer, status: "open" })).data;
        return open && await stripe.invoices[action.how](open.id);
      }
    }
    if (!live || !item) return;
    switch (action.kind) {
      case "plan":
        return await stripe.subscriptions.update(live.id, {
          items: [{ id: item.id, price: this.#prices[action.price] }],
          proration_behavior: action.proration,
        });
      case "quantity":
        return await stripe.subscriptions.update(live.id, {
          items: [{ id: item.id, quantity: action.quantity }],
          proration_behavior: action.proration,
        });
      case "cycle":
        return await stripe.subscriptions.update(live.id, { billing_cycle_anchor: { type: "now" } });
      case "trial":
        return await stripe.subscriptions.update(live.id, { trial_end: this.now + action.days * daySeconds });
      case "cancel":
        return await stripe.subscriptions.cancel(live.id, {
          prorate: action.prorate,
          invoice_now: action.invoiceNow,
        });
      case "end":
        return await stripe.subscriptions.update(live.id, { cancel_at_period_end: action.isScheduled });
      case "pause":
        return live.status === "paused"
          ? await stripe.subscriptions.resume(live.id)
          : await stripe.subscriptions.pause(live.id, { invoicing_behavior: "invoice" });
    }
  }

  async check() {
    const { stripe } = this.#rig;
    const invoices: Stripe.Invoice[] = [];
    const params = { customer: this.#customer, limit: 100, expand: ["data.payments"] };
    for await (const invoice of stripe.invoices.list(params)) invoices.push(invoice);
    for (const invoice of invoices) this.#checkInvoice(invoice);
    const items = invoices.flatMap(({ lines }) => lines.data).flatMap(itemsOf);
    assert.equal(new Set(items).size, items.length, "each invoice item is billed once");
    const customer = await stripe.customers.retrieve(this.#customer) as Stripe.Customer;
    const counted = invoices.filter(({ status }) => status !== "draft" && status !== "void");
    const moved = counted.map((invoice) => (invoice.ending_balance ?? 0) - invoice.starting_balance);
    assert.equal(customer.balance, sum(moved), "the balance is the sum of the invoices' balance changes");
    const charges = (await stripe.charges.list({ customer: this.#customer, limit: 100 })).data;
    assert.equal(
      sum(charges.filter(({ paid }) => paid).map(({ amount }) => amount)),
      sum(invoices.map((invoice) => invoice.amount_paid)),
      "the charges are the sum of amount_paid",
    );
  }

  #checkInvoice(invoice: Stripe.Invoice) {
    const lines = invoice.lines.data;
    assert.equal(invoice.total, sum(lines.map(({ amount }) => amount)), "the total is the sum of the lines");
    assert.equal(invoice.subtotal, invoice.total);
    assert.ok(invoice.amount_due >= 0);
    assert.equal(
      invoice.amount_due,
      invoice.amount_paid + invoice.amount_remaining,
      "amount_due is paid plus remaining",
    );
    if (invoice.status === "draft") return assert.equal(invoice.amount_paid, 0);
    assert.equal(
      invoice.starting_balance + invoice.total,
      invoice.amount_due + (invoice.ending_balance ?? NaN),
      "starting balance and total are amount_due plus ending balance",
    );
    if (invoice.status === "paid") assert.equal(invoice.amount_remaining, 0);
    const payments = invoice.payments?.data.filter(({ status }) => status === "paid") ?? [];
    assert.equal(sum(payments.map(({ amount_paid }) => amount_paid ?? 0)), invoice.amount_paid);
    for (const line of lines) {
      if (line.pricing?.price_details?.price !== this.#usage || line.quantity === null) continue;
      assert.equal(line.quantity, this.#usedIn(line.period), "the billed quantity is the reported usage");
    }
  }

  #usedIn({ start, end }: { start: number; end: number }): number {
    return sum(this.used.filter(({ when }) => when >= start && when < end).map(({ value }) => value));
  }
}

/** The id of the invoice item that a line bills, if any. */
function itemsOf({ parent }: Stripe.InvoiceLineItem): string[] {
  const item = parent?.subscription_item_details?.invoice_item ?? parent?.invoice_item_details?.invoice_item;
  return item ? [item] : [];
}

function sum(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

Deno.test("invoices, charges and balance add up after random actions", async () => {
  const actions = fc.array(action, { minLength: 5, maxLength: 25 });
  const start: Action = { kind: "subscribe", price: 0, trialDays: 0 };
  await fc.assert(
    fc.asyncProperty(actions, async (actions) => {
      await using rig = await startSimulatorWithClock("2026-01-31T12:00:00Z");
      const history = new RandomHistory(rig);
      await history.start();
      for (const action of [start, ...actions]) await history.perform(action);
      await history.check();
      assert.deepEqual(rig.log.filter((line) => line.includes("error in the simulator")), []);
    }),
    { numRuns: Number(Deno.env.get("RUNS") ?? 25), seed: Number(Deno.env.get("SEED") ?? 20261122) },
  );
});
