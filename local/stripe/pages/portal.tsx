import type { ComponentChildren } from "preact";
import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { formatAmount } from "../behaviour/money.ts";
import { cancelInPortal, findPortalSession, renewInPortal } from "../behaviour/portal.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import type { PortalConfiguration, PortalSession } from "../objects/portal.ts";
import { currentPeriodEnd, hasEnded, isSetToCancel, type Subscription } from "../objects/subscription.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "./layout.tsx";
import { describePlan, formatDay, siteOf } from "./words.ts";

/** Everything a page of the portal is about. */
interface Visit {
  account: Account;
  session: PortalSession;
  configuration: PortalConfiguration;
  /** The address of the portal's first page. */
  home: string;
}

/** `GET /p/session/:token`: the customer's subscriptions, card and invoices. */
export function showPortal(account: Account, token: string): Response {
  const visit = enter(account, token);
  return visit ? html(<PortalPage visit={visit} />) : expired();
}

/** `GET …/subscriptions/:id/cancel`: asks whether the subscription is really to end. */
export function showCancel(account: Account, token: string, id: string): Response {
  const visit = enter(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription || !canCancel(visit, subscription)) return expired();
  return html(<CancelPage visit={visit} subscription={subscription} />);
}

/** `POST …/subscriptions/:id/cancel` and `…/renew`: does it, then shows the portal again. */
export function submitPortal(account: Account, token: string, id: string, action: string): Response {
  const visit = enter(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription) return expired();
  perform(account, noCause, (change) => {
    if (action === "renew" && canRenew(subscription)) renewInPortal(change, subscription);
    if (action === "cancel" && canCancel(visit, subscription)) {
      cancelInPortal(change, subscription, visit.configuration);
    }
  });
  return seeOther(visit.home);
}

function enter(account: Account, token: string): Visit | undefined {
  const session = findPortalSession(account, token);
  if (!session) return;
  const configuration = account.portalConfigurations.get(session.configuration);
  return { account, session, configuration, home: `/p/session/${token}` };
}

function ownSubscription({ account, session }: Visit, id: string): Subscription | undefined {
  const subscription = account.subscriptions.find(id);
  return subscription?.customer === session.customer ? subscription : undefined;
}

function canCancel({ configuration }: Visit, subscription: Subscription): boolean {
  return configuration.features.subscription_cancel.enabled && !hasEnded(subscription) &&
    !isSetToCancel(subscription);
}

function canRenew(subscription: Subscription): boolean {
  return !hasEnded(subscription) && isSetToCancel(subscription);
}

function expired(): Response {
  return html(
    <Notice title="This link has expired" text="Open the billing portal again from the app." />,
    410,
  );
}

function PortalPage({ visit }: { visit: Visit }) {
  const { account, session, configuration } = visit;
  const subscriptions = account.subscriptions.newestFirst().filter(({ customer }) =>
    customer === session.customer
  );
  const invoices = account.invoices.newestFirst().filter(({ customer }) => customer === session.customer);
  const methods = account.paymentMethods.newestFirst().filter(({ customer }) =>
    customer === session.customer
  );
  return (
    <PortalLayout title="Billing" visit={visit}>
      <h1>{configuration.business_profile.headline ?? "Manage your billing"}</h1>
      <section aria-labelledby="subscriptions">
        <h2 id="subscriptions">Subscription</h2>
        {subscriptions.length === 0 && <p>There is no subscription.</p>}
        {subscriptions.map((subscription) => (
          <SubscriptionCard key={subscription.id} visit={visit} subscription={subscription} />
        ))}
      </section>
      <section aria-labelledby="payment-methods">
        <h2 id="payment-methods">Payment method</h2>
        {methods.length === 0 && <p>There is no payment method.</p>}
        <ul class="plain">{methods.map((method) => <Method key={method.id} method={method} />)}</ul>
      </section>
      {configuration.features.invoice_history.enabled && (
        <section aria-labelledby="invoices">
          <h2 id="invoices">Invoice history</h2>
          {invoices.length === 0 ? <p>There are no invoices.</p> : <Invoices invoices={invoices} />}
        </section>
      )}
    </PortalLayout>
  );
}

function SubscriptionCard({ visit, subscription }: { visit: Visit; subscription: Subscription }) {
  const action = `${visit.home}/subscriptions/${subscription.id}`;
  return (
    <article class="card">
      <h3>{describePlan(visit.account, subscription)}</h3>
      <p>
        <span class={`badge ${subscription.status}`}>{subscription.status}</span> {outlook(subscription)}
      </p>
      {canCancel(visit, subscription) && (
        <form method="get" action={`${action}/cancel`}>
          <button type="submit" class="secondary">Cancel subscription</button>
        </form>
      )}
      {canRenew(subscription) && (
        <form method="post" action={`${action}/renew`}>
          <button type="submit">Renew subscription</button>
        </form>
      )}
    </article>
  );
}

function outlook(subscription: Subscription): string {
  if (subscription.ended_at !== null) return `Ended on ${formatDay(subscription.ended_at)}.`;
  const end = subscription.cancel_at ?? currentPeriodEnd(subscription);
  if (isSetToCancel(subscription)) return `Cancels on ${formatDay(end)}.`;
  if (subscription.status === "trialing") return `The trial ends on ${formatDay(end)}.`;
  return `Renews on ${formatDay(end)}.`;
}

const brandNames: Record<string, string> = { visa: "Visa", mastercard: "Mastercard" };

function Method({ method }: { method: PaymentMethod }) {
  const { card } = method;
  if (!card) return <li class="card">{method.type}</li>;
  const { brand, last4, exp_month: month, exp_year: year } = card;
  return <li class="card">{brandNames[brand] ?? brand} •••• {last4}, expires {month}/{year}</li>;
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

function CancelPage({ visit, subscription }: { visit: Visit; subscription: Subscription }) {
  const isImmediate = visit.configuration.features.subscription_cancel.mode === "immediately";
  const end = formatDay(currentPeriodEnd(subscription));
  return (
    <PortalLayout title="Cancel subscription" visit={visit}>
      <h1>Cancel your subscription?</h1>
      <article class="card">
        <h2>{describePlan(visit.account, subscription)}</h2>
        <p>
          {isImmediate
            ? "It ends at once."
            : `It stays available until ${end} and is not renewed after that.`}
        </p>
        <form method="post" class="choices">
          <button type="submit" class="danger">Confirm cancellation</button>
          <a class="button secondary" href={visit.home}>Keep subscription</a>
        </form>
      </article>
    </PortalLayout>
  );
}

function PortalLayout(
  { title, visit, children }: { title: string; visit: Visit; children: ComponentChildren },
) {
  const { return_url: back } = visit.session;
  return (
    <Layout title={title} kind="portal">
      <header>
        {back && (
          <a class="back" href={back}>
            Return to {siteOf(back)}
          </a>
        )}
        <Sandbox />
      </header>
      <main>{children}</main>
    </Layout>
  );
}
