import assert from "node:assert/strict";
import { startReceiver, startSimulator } from "../testing.ts";
import { connectCli, findCli } from "./helpers/stripe_cli.ts";

const found = await findCli();
const ignore = "reason" in found;
const path = "path" in found ? found.path : "";
if ("reason" in found) {
  console.warn(`Stripe's CLI is not available, so its tests are skipped: ${found.reason}`);
}

/** The arguments of `stripe trigger`. Each is also the type of an event that it must create. */
const triggers = [
  "billing_portal.configuration.created",
  "billing_portal.configuration.updated",
  "billing_portal.session.created",
  "charge.captured",
  "charge.dispute.closed",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.failed",
  "charge.refund.updated",
  "charge.refunded",
  "charge.succeeded",
  "checkout.session.async_payment_failed",
  "checkout.session.async_payment_succeeded",
  "checkout.session.completed",
  "checkout.session.expired",
  "coupon.created",
  "coupon.deleted",
  "coupon.updated",
  "credit_note.created",
  "credit_note.updated",
  "credit_note.voided",
  "customer.created",
  "customer.deleted",
  "customer.source.created",
  "customer.source.updated",
  "customer.subscription.created",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.trial_will_end",
  "customer.subscription.updated",
  "customer.updated",
  "invoice.created",
  "invoice.deleted",
  "invoice.finalized",
  "invoice.marked_uncollectible",
  "invoice.paid",
  "invoice.payment_action_required",
  "invoice.payment_failed",
  "invoice.payment_succeeded",
  "invoice.sent",
  "invoice.updated",
  "invoice.voided",
  "invoiceitem.created",
  "invoiceitem.deleted",
  "payment_intent.amount_capturable_updated",
  "payment_intent.canceled",
  "payment_intent.created",
  "payment_intent.payment_failed",
  "payment_intent.processing",
  "payment_intent.requires_action",
  "payment_intent.succeeded",
  "payment_method.attached",
  "payment_method.detached",
  "payment_method.updated",
  "plan.created",
  "plan.deleted",
  "plan.updated",
  "price.created",
  "price.updated",
  "product.created",
  "product.deleted",
  "product.updated",
  "promotion_code.created",
  "promotion_code.updated",
  "setup_intent.canceled",
  "setup_intent.created",
  "setup_intent.requires_action",
  "setup_intent.setup_failed",
  "setup_intent.succeeded",
  "test_helpers.test_clock.advancing",
  "test_helpers.test_clock.created",
  "test_helpers.test_clock.deleted",
  "test_helpers.test_clock.ready",
];

for (const type of triggers) {
  Deno.test({
    name: `Stripe's CLI: trigger ${type} exits with 0 and creates the event`,
    ignore,
    async fn() {
      await using rig = await startSimulator();
      await using cli = await connectCli(path, rig.simulator);
      const { code, output, messages } = await cli.run("trigger", type);
      assert.equal(code, 0, output + messages);
      assert.equal(await rig.simulator.idle(), true);
      assert.equal((await rig.stripe.events.list({ type })).data.length > 0, true);
      assert.deepEqual(rig.log, []);
    },
  });
}

Deno.test({
  name:
    "Stripe's CLI: listen forwards the unchanged body, signed with the printed secret, and events resend sends it again",
  ignore,
  async fn() {
    await using rig = await startSimulator();
    await using cli = await connectCli(path, rig.simulator);
    await using receiver = startReceiver();
    const secret = (await cli.run("listen", "--print-secret")).output.match(/whsec_\w+/)?.[0] ?? "";
    await using _listening = await cli.listen("--all-snapshot", "--forward-to", receiver.url);
    const customer = await rig.stripe.customers.create({ name: "Grüße ✓" });
    await arrival(receiver.requests, 1);
    const [{ body, signature }] = receiver.requests;
    const event = await rig.stripe.webhooks.constructEventAsync(body, signature, secret);
    assert.ok(event.type === "customer.created");
    assert.equal(event.data.object.id, customer.id);

    const resent = await cli.run("events", "resend", event.id);
    assert.equal(resent.output.includes(event.id), true);
    await arrival(receiver.requests, 2);
    assert.equal(JSON.parse(receiver.requests[1].body).id, event.id);
  },
});

for (const type of ["subscription.payment_failed", "subscription.payment_succeeded"]) {
  Deno.test({
    name: `Stripe's CLI: trigger ${type} exits with 0`,
    ignore,
    async fn() {
      await using rig = await startSimulator();
      await using cli = await connectCli(path, rig.simulator);
      const { code, output, messages } = await cli.run("trigger", type);
      assert.equal(code, 0, output + messages);
    },
  });
}

Deno.test({
  name: "Stripe's CLI: logs tail prints each request with its status",
  ignore,
  async fn() {
    await using rig = await startSimulator();
    await using cli = await connectCli(path, rig.simulator);
    await using tail = await cli.tailLogs();
    await rig.stripe.customers.create({});
    await rig.stripe.customers.retrieve("cus_none").catch(() => {});
    await tail.prints("[404] GET /v1/customers/cus_none");
    assert.match(tail.output(), /\[200\] POST \/v1\/customers \[req_\w+\]/);
  },
});

Deno.test({
  name: "Stripe's CLI: listen forwards thin events that the SDK accepts",
  ignore,
  async fn() {
    await using rig = await startSimulator();
    await using cli = await connectCli(path, rig.simulator);
    await using receiver = startReceiver();
    const secret = (await cli.run("listen", "--print-secret")).output.match(/whsec_\w+/)?.[0] ?? "";
    await using _listening = await cli.listen("--all-thin", "--forward-to", receiver.url);
    const customer = await rig.stripe.customers.create({});
    await arrival(receiver.requests, 1);
    const [{ body, signature }] = receiver.requests;
    const notification = await rig.stripe.parseEventNotificationAsync(body, signature, secret);
    assert.ok(notification.type === "v1.customer.created");
    assert.equal((await notification.fetchRelatedObject()).id, customer.id);
  },
});

Deno.test({
  name: "Stripe's CLI: commands create, read and delete with metadata, expand and idempotency keys",
  ignore,
  async fn() {
    await using rig = await startSimulator();
    await using cli = await connectCli(path, rig.simulator);
    const create = () =>
      cli.run("customers", "create", "--email", "a@b.co", "-d", "metadata[community]=c1", "-i", "k");
    const { id } = JSON.parse((await create()).output);
    assert.equal(JSON.parse((await create()).output).id, id);
    const read = JSON.parse((await cli.run("get", id, "-e", "subscriptions")).output);
    assert.deepEqual([read.metadata, read.subscriptions.data], [{ community: "c1" }, []]);
    const list = JSON.parse((await cli.run("customers", "list", "--limit", "2")).output);
    assert.equal(list.data.length, 1);
    await cli.run("customers", "delete", id, "-c");
    assert.equal((await rig.stripe.customers.retrieve(id)).deleted, true);
  },
});

async function arrival(requests: unknown[], count: number) {
  while (requests.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}
