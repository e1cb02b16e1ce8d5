import type { ComponentChildren } from "preact";
import type { Account } from "../../account/account.ts";
import { type Change, noCause, perform } from "../../account/change.ts";
import { findPortalSession } from "../../behaviour/portal_actions.ts";
import type { PortalConfiguration, PortalFlow, PortalSession } from "../../objects/billing_portal.ts";
import type { Customer } from "../../objects/customer.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { StripeError } from "../../wire/errors.ts";
import { siteOf } from "../formats.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "../page_layout.tsx";

/** The data of a portal page. */
export interface Visit {
  account: Account;
  session: PortalSession;
  configuration: PortalConfiguration;
  customer: Customer;
  /** The path that the session's pages begin with. */
  base: string;
  /** The path of the portal's home page. A session with a flow starts on another page. */
  home: string;
}

export function findVisit(account: Account, token: string): Visit | undefined {
  const session = findPortalSession(account, token);
  if (!session) return;
  const base = `/p/session/${token}`;
  return {
    account,
    session,
    configuration: account.portalConfigurations.get(session.configuration),
    customer: account.customers.get(session.customer),
    base,
    home: session.flow ? `${base}?home=1` : base,
  };
}

/** The subscription, if it belongs to the session's customer. */
export function ownSubscription({ account, session }: Visit, id: string): Subscription | undefined {
  const subscription = account.subscriptions.find(id);
  return subscription?.customer === session.customer ? subscription : undefined;
}

/** The first page of a session with a flow. */
export function firstPageOf({ base }: Visit, flow: PortalFlow): string {
  switch (flow.type) {
    case "payment_method_update":
      return `${base}/payment-method`;
    case "customer_update":
      return `${base}/customer`;
    case "subscription_cancel":
      return `${base}/subscriptions/${flow.subscription_cancel?.subscription}/cancel`;
    case "subscription_update":
      return `${base}/subscriptions/${flow.subscription_update?.subscription}/update`;
    default:
      return confirmationPage(base, flow.subscription_update_confirm);
  }
}

function confirmationPage(base: string, confirm: PortalFlow["subscription_update_confirm"]): string {
  const [item] = confirm?.items ?? [];
  const choice = new URLSearchParams({ price: item?.price ?? "" });
  if (item?.quantity !== undefined) choice.set("quantity", String(item.quantity));
  return `${base}/subscriptions/${confirm?.subscription}/update/confirm?${choice}`;
}

/** Runs a change for the customer. Returns the error when Stripe would refuse it. */
export function attempt(visit: Visit, work: (change: Change) => unknown): StripeError | undefined {
  try {
    perform(visit.account, noCause, work);
  } catch (error) {
    if (error instanceof StripeError) return error;
    throw error;
  }
}

/** Redirects after a change: to the home page, or as the flow's `after_completion` says. */
export function completed(visit: Visit, title: string): Response {
  const after = visit.session.flow?.after_completion;
  if (after?.type === "redirect" && after.redirect) return seeOther(after.redirect.return_url);
  if (after?.type !== "hosted_confirmation") return seeOther(visit.home);
  const { return_url: back } = visit.session;
  const link = back ? { href: back, label: `Return to ${siteOf(back)}` } : undefined;
  const text = after.hosted_confirmation?.custom_message ?? "There is nothing more to do.";
  return html(<Notice title={title} text={text} link={link} />);
}

/** The link for leaving a page without a change. */
export function leaveUrl({ session, home }: Visit): string {
  return session.flow ? session.return_url ?? home : home;
}

export function expired(): Response {
  return html(
    <Notice title="This link has expired" text="Open the billing portal again from the app." />,
    410,
  );
}

export function PortalLayout(
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
