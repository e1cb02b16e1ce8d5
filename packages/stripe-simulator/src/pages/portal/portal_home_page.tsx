import type { Account } from "../../account/account.ts";
import { formatAmount } from "../../behaviour/catalog/money.ts";
import { canCancel, canRenew, canUpdate, renewInPortal } from "../../behaviour/portal_actions.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { currentPeriodEnd, isSetToCancel, type Subscription } from "../../objects/subscription.ts";
import { describePlan, formatDay } from "../formats.ts";
import { html, seeOther } from "../page_layout.tsx";
import {
  attempt,
  expired,
  findVisit,
  firstPageOf,
  ownSubscription,
  PortalLayout,
  type Visit,
} from "./portal_visit.tsx";

/** `GET /p/session/:token`: the customer's subscriptions, cards and invoices, or a redirect to the session's flow. */
export function showPortal(account: Account, token: string, request: Request): Response {
  const visit = findVisit(account, token);
  if (!visit) return expired();
  const { flow } = visit.session;
  if (flow && !new URL(request.url).searchParams.has("home")) return seeOther(firstPageOf(visit, flow));
  return html(<PortalPage visit={visit} />);
}

/** `POST …/subscriptions/:id/renew`: undoes a scheduled cancellation. */
export function submitRenewal(account: Account, token: string, id: string): Response {
  const visit = findVisit(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription) return expired();
  if (canRenew(subscription)) attempt(visit, (change) => renewInPortal(change, subscription));
  return seeOther(visit.home);
}

function PortalPage({ visit }: { visit: Visit }) {
  const { account, customer, configuration: { business_profile: profile, features } } = visit;
  const subscriptions = account.subscriptions.of(customer.id).toReversed();
  const invoices = account.invoices.of(customer.id).toReversed();
  return (
    <PortalLayout title="Billing" visit={visit}>
      <h1>{profile.headline ?? "Manage your billing"}</h1>
      <section aria-labelledby="subscriptions">
        <h2 id="subscriptions">Subscription</h2>
        {subscriptions.length === 0 && <p>There is no subscription.</p>}
        {subscriptions.map((subscription) => (
          <SubscriptionCard key={subscription.id} visit={visit} subscription={subscription} />
        ))}
      </section>
      <PaymentMethods visit={visit} />
      {features.customer_update.enabled && <CustomerDetails visit={visit} />}
      {features.invoice_history.enabled && (
        <section aria-labelledby="invoices">
          <h2 id="invoices">Invoice history</h2>
          {invoices.length === 0 ? <p>There are no invoices.</p> : <Invoices invoices={invoices} />}
        </section>
      )}
    </PortalLayout>
  );
}

function SubscriptionCard({ visit, subscription }: { visit: Visit; subscription: Subscription }) {
  const { account, base, configuration } = visit;
  const address = `${base}/subscriptions/${subscription.id}`;
  return (
    <article class="card">
      <h3>{describePlan(account, subscription)}</h3>
      <p>
        <span class={`badge ${subscription.status}`}>{subscription.status.replaceAll("_", " ")}</span>{" "}
        {outlook(subscription)}
      </p>
      <div class="choices">
        {canUpdate(account, configuration, subscription) && (
          <a class="button" href={`${address}/update`}>Update subscription</a>
        )}
        {canCancel(configuration, subscription) && (
          <form method="get" action={`${address}/cancel`}>
            <button type="submit" class="secondary">Cancel subscription</button>
          </form>
        )}
        {canRenew(subscription) && (
          <form method="post" action={`${address}/renew`}>
            <button type="submit">Renew subscription</button>
          </form>
        )}
      </div>
    </article>
  );
}

function outlook(subscription: Subscription): string {
  if (subscription.ended_at !== null) return `Ended on ${formatDay(subscription.ended_at)}.`;
  const end = subscription.cancel_at ?? currentPeriodEnd(subscription);
  if (isSetToCancel(subscription)) return `Cancels on ${formatDay(end)}.`;
  if (subscription.status === "past_due") return "The last payment failed. Update your payment method.";
  if (subscription.status === "trialing") return `The trial ends on ${formatDay(end)}.`;
  return `Renews on ${formatDay(end)}.`;
}

function PaymentMethods({ visit: { account, base, configuration, customer } }: { visit: Visit }) {
  const methods = account.paymentMethods.newestFirst().filter((method) => method.customer === customer.id);
  const usual = customer.invoice_settings.default_payment_method;
  return (
    <section aria-labelledby="payment-methods">
      <h2 id="payment-methods">Payment method</h2>
      {methods.length === 0 && <p>There is no payment method.</p>}
      <ul class="plain">
        {methods.map((method) => <Method key={method.id} method={method} isUsual={method.id === usual} />)}
      </ul>
      {configuration.features.payment_method_update.enabled && (
        <p>
          <a class="button secondary" href={`${base}/payment-method`}>Update payment method</a>
        </p>
      )}
    </section>
  );
}

const brandNames: Record<string, string> = { visa: "Visa", mastercard: "Mastercard" };

function Method({ method, isUsual }: { method: PaymentMethod; isUsual: boolean }) {
  const { card } = method;
  if (!card) return <li class="card">{method.type}</li>;
  const { brand, last4, exp_month: month, exp_year: year } = card;
  return (
    <li class="card">
      {brandNames[brand] ?? brand} •••• {last4}, expires {month}/{year}{" "}
      {isUsual && <span class="badge">default</span>}
    </li>
  );
}

function CustomerDetails({ visit: { base, customer } }: { visit: Visit }) {
  return (
    <section aria-labelledby="customer">
      <h2 id="customer">Billing information</h2>
      <p>{[customer.name, customer.email, customer.phone].filter(Boolean).join(", ") || "Nothing yet."}</p>
      <a class="button secondary" href={`${base}/customer`}>Update information</a>
    </section>
  );
}

function Invoices({ invoices }: { invoices: Invoice[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Date</th>
          <th scope="col">Number</th>
          <th scope="col">Amount</th>
          <th scope="col">Status</th>
        </tr>
      </thead>
      <tbody>
        {invoices.map((invoice) => (
          <tr key={invoice.id}>
            <td>{formatDay(invoice.created)}</td>
            <td>
              {invoice.hosted_invoice_url
                ? <a href={invoice.hosted_invoice_url}>{invoice.number}</a>
                : "draft"}
            </td>
            <td>{formatAmount(invoice.total, invoice.currency)}</td>
            <td>
              <span class={`badge ${invoice.status}`}>{invoice.status}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
