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
  "checkout.session.completed",
  "checkout.session.expired",
  "customer.subscription.created",
  "customer.subscription.updated",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.trial_will_end",
  "invoice.paid",
  "invoice.payment_failed",
  "billing_portal.session.created",
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
