import type { Account } from "../../account/account.ts";
import { aggregate } from "../../behaviour/meters/metered_usage.ts";
import type { Event } from "../../objects/event.ts";
import { currentPeriodEnd } from "../../objects/subscription.ts";
import type { ThinEvent } from "../../objects/thin_event.ts";
import { describePlan, formatDay, formatMoment, formatSecond } from "../formats.ts";
import { html, Layout, Sandbox } from "../page_layout.tsx";
import { DeliveryStates } from "./delivery_states.tsx";
import { shown, Status, Table } from "./table.tsx";

/** `GET /`: the objects of the account, newest first. */
export function showDashboard(account: Account): Response {
  return html(
    <Layout title="Stripe simulator" kind="dashboard">
      <header>
        <h1>Stripe simulator</h1>
        <Sandbox />
      </header>
      <main>
        <Customers account={account} />
        <Subscriptions account={account} />
        <Meters account={account} />
        <TestClocks account={account} />
        <Endpoints account={account} />
        <Events account={account} />
      </main>
    </Layout>,
  );
}

function Customers({ account }: { account: Account }) {
  const customers = account.customers.newestFirst();
  return (
    <Table
      title="Customers"
      count={customers.length}
      columns={["Customer", "Name or e-mail", "Metadata", "Created"]}
    >
      {customers.slice(0, shown).map((customer) => (
        <tr key={customer.id}>
          <td class="id">{customer.id}</td>
          <td>{customer.name ?? customer.email ?? "–"}</td>
          <td>
            {Object.entries(customer.metadata).map(([key, value]) => `${key}: ${value}`).join(", ") || "–"}
          </td>
          <td>{formatSecond(customer.created)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Subscriptions({ account }: { account: Account }) {
  const subscriptions = account.subscriptions.newestFirst();
  const columns = ["Subscription", "Customer", "Plan", "Status", "Period ends", "Cancels"];
  return (
    <Table title="Subscriptions" count={subscriptions.length} columns={columns}>
      {subscriptions.slice(0, shown).map((subscription) => (
        <tr key={subscription.id}>
          <td class="id">{subscription.id}</td>
          <td class="id">{subscription.customer}</td>
          <td>{describePlan(account, subscription)}</td>
          <td>
            <Status status={subscription.status} />
          </td>
          <td>{formatDay(currentPeriodEnd(subscription))}</td>
          <td>{subscription.cancel_at === null ? "–" : formatDay(subscription.cancel_at)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Meters({ account }: { account: Account }) {
  const meters = account.meters.newestFirst();
  const received = account.meterEvents.oldestFirst();
  const columns = ["Meter", "Name", "Event name", "Status", "Events", "Refused", "Used in all"];
  return (
    <Table title="Meters" count={meters.length} columns={columns}>
      {meters.slice(0, shown).map((meter) => {
        const events = received.filter((event) => event.meter === meter.id);
        return (
          <tr key={meter.id}>
            <td class="id">{meter.id}</td>
            <td>{meter.display_name}</td>
            <td class="id">{meter.event_name}</td>
            <td>
              <Status status={String(meter.status)} />
            </td>
            <td>{events.length}</td>
            <td>{events.filter(({ status }) => status === "refused").length}</td>
            <td>
              {aggregate(meter, events.filter(({ status }) => status === "counted"))}{" "}
              <span class="small">({meter.default_aggregation.formula})</span>
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

function TestClocks({ account }: { account: Account }) {
  const clocks = account.testClocks.newestFirst();
  const customers = account.customers.oldestFirst();
  return (
    <Table
      title="Test clocks"
      count={clocks.length}
      columns={["Clock", "Name", "Its time (UTC)", "Status", "Customers"]}
    >
      {clocks.slice(0, shown).map((clock) => (
        <tr key={clock.id}>
          <td class="id">{clock.id}</td>
          <td>{clock.name ?? "–"}</td>
          <td>{formatSecond(clock.frozen_time)}</td>
          <td>
            <Status status={String(clock.status)} />
          </td>
          <td>{customers.filter(({ test_clock: id }) => id === clock.id).length}</td>
        </tr>
      ))}
    </Table>
  );
}

function Endpoints({ account }: { account: Account }) {
  const endpoints = [
    ...account.webhookEndpoints.newestFirst().map((endpoint) => ({ ...endpoint, payload: "snapshot" })),
    ...account.eventDestinations.newestFirst().map((destination) => ({
      ...destination,
      payload: destination.event_payload,
      url: destination.webhook_endpoint.url,
    })),
  ];
  const columns = ["Address", "Payload", "Events", "Status"];
  return (
    <Table title="Webhook endpoints" count={endpoints.length} columns={columns}>
      {endpoints.slice(0, shown).map(({ id, url, payload, enabled_events: types, status }) => (
        <tr key={id}>
          <td class="id">{url}</td>
          <td>{payload}</td>
          <td>{types.join(", ")}</td>
          <td>
            <Status status={status} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Events({ account }: { account: Account }) {
  const count = account.events.size + account.thinEvents.size;
  return (
    <Table title="Events" count={count} columns={["Time (UTC)", "Type", "Event", "Delivery"]}>
      {newestEvents(account).map((event) => (
        <tr key={event.id}>
          <td>{formatMoment(event.created)}</td>
          <td>
            <a href={`/events/${event.id}`}>{event.type}</a>
          </td>
          <td class="id">{event.id}</td>
          <td>
            <DeliveryStates deliveries={account.deliveries.of(event.id)} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** The newest snapshot and thin events, sorted by time. */
function newestEvents(account: Account): (Event | ThinEvent)[] {
  const snapshots = account.events.newestFirst().slice(0, shown);
  const thin = account.thinEvents.newestFirst().slice(0, shown);
  return [...snapshots, ...thin].sort((a, b) => secondOf(b) - secondOf(a)).slice(0, shown);
}

function secondOf({ created }: Event | ThinEvent): number {
  return typeof created === "number" ? created : Date.parse(created) / 1000;
}
