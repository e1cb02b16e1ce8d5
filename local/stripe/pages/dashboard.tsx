import type { ComponentChildren } from "preact";
import type { Account } from "../account/account.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import { currentPeriodEnd } from "../objects/subscription.ts";
import { deliveriesOf } from "../webhooks/deliveries.ts";
import { html, Layout, Sandbox } from "./layout.tsx";
import { describePlan, formatDay, formatSecond } from "./words.ts";

const shown = 50;

/** `GET /`: what is in the account, newest first. */
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
            <span class={`badge ${subscription.status}`}>{subscription.status}</span>
          </td>
          <td>{formatDay(currentPeriodEnd(subscription))}</td>
          <td>{subscription.cancel_at === null ? "–" : formatDay(subscription.cancel_at)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Endpoints({ account }: { account: Account }) {
  const endpoints = account.webhookEndpoints.newestFirst();
  return (
    <Table title="Webhook endpoints" count={endpoints.length} columns={["Address", "Events", "Status"]}>
      {endpoints.map((endpoint) => (
        <tr key={endpoint.id}>
          <td class="id">{endpoint.url}</td>
          <td>{endpoint.enabled_events.join(", ")}</td>
          <td>{endpoint.status}</td>
        </tr>
      ))}
    </Table>
  );
}

function Events({ account }: { account: Account }) {
  const events = account.events.newestFirst();
  return (
    <Table title="Events" count={events.length} columns={["Time (UTC)", "Type", "Event", "Delivery"]}>
      {events.slice(0, shown).map((event) => (
        <tr key={event.id}>
          <td>{formatSecond(event.created)}</td>
          <td>{event.type}</td>
          <td class="id">{event.id}</td>
          <td>
            <DeliveryStates account={account} event={event} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function DeliveryStates({ account, event }: { account: Account; event: Event }) {
  const deliveries = deliveriesOf(account, event);
  if (deliveries.length === 0) return <>nobody listens</>;
  return (
    <>
      {deliveries.map((delivery) => (
        <span key={delivery.id} class={`badge ${delivery.status}`}>{describeDelivery(delivery)}</span>
      ))}
    </>
  );
}

/** `delivered`, or `pending (503, 2 attempts)`. */
function describeDelivery({ status, attempts }: Delivery): string {
  const last = attempts.at(-1);
  if (status === "delivered" || !last) return status;
  return `${status} (${last.status ?? last.error}, ${attempts.length} ${
    attempts.length === 1 ? "attempt" : "attempts"
  })`;
}

interface TableProps {
  title: string;
  count: number;
  columns: string[];
  children: ComponentChildren;
}

function Table({ title, count, columns, children }: TableProps) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title} ({count})</h2>
      {count === 0 ? <p>None yet.</p> : (
        <div class="scroll">
          <table>
            <thead>
              <tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}
