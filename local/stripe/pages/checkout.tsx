import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { findTestCard, type TestCard, testCards } from "../behaviour/cards.ts";
import { needsCard, payCheckout, trialOf } from "../behaviour/checkout.ts";
import { listLineItems } from "../behaviour/line_items.ts";
import { formatAmount, formatPrice } from "../behaviour/money.ts";
import { orderedAmount } from "../behaviour/ordering.ts";
import type { CheckoutSession, LineItem } from "../objects/checkout_session.ts";
import { StripeError } from "../protocol/errors.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "./layout.tsx";
import { formatDay, siteOf } from "./words.ts";

/** What was typed, to show it again beside an error. */
interface Entries {
  card: string;
  email: string;
  name: string;
}

/** Who pays when nothing is known about it, so that one click is enough to pay. */
const examplePayer = { email: "jenny.rosen@example.com", name: "Jenny Rosen" };

/** `GET /c/pay/:id`: the hosted page that a session's `url` leads to. */
export function showCheckout(account: Account, id: string): Response {
  const session = account.checkoutSessions.find(id);
  if (session?.status === "complete") return html(<Completed session={session} />);
  if (session?.status !== "open") return html(<Expired session={session} />, session ? 410 : 404);
  const customer = account.customers.find(session.customer ?? "");
  const email = session.customer_email ?? customer?.email ?? examplePayer.email;
  return html(
    <CheckoutPage
      account={account}
      session={session}
      entries={{ card: testCards[0].number, email, name: customer?.name ?? examplePayer.name }}
    />,
  );
}

/** `POST /c/pay/:id`: pays, then leaves for the address of success. A declined card shows the page again. */
export async function submitCheckout(account: Account, id: string, request: Request): Promise<Response> {
  const session = account.checkoutSessions.find(id);
  if (session?.status !== "open") return showCheckout(account, id);
  const form = await request.formData();
  const entry = (name: string) => String(form.get(name) ?? "").trim();
  const entries: Entries = { card: entry("card"), email: entry("email"), name: entry("name") };
  const card = findTestCard(entries.card) ?? null;
  const payer = { email: entries.email || null, name: entries.name || null };
  try {
    perform(
      account,
      noCause,
      (change) => payCheckout(change, session, { card, payer, authentication: "passed" }),
    );
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    const page = <CheckoutPage account={account} session={session} entries={entries} error={error.message} />;
    return html(page, error.status);
  }
  return seeOther(session.success_url ?? "/");
}

interface CheckoutPageProps {
  account: Account;
  session: CheckoutSession;
  entries: Entries;
  error?: string;
}

function CheckoutPage({ account, session, entries, error }: CheckoutPageProps) {
  const due = formatAmount(session.amount_total ?? 0, session.currency ?? "usd");
  return (
    <Layout title={`Pay ${due}`} kind="checkout">
      <header>
        {session.cancel_url && (
          <a class="back" href={session.cancel_url}>
            Back
          </a>
        )}
        <Sandbox />
      </header>
      <main>
        <Summary account={account} session={session} due={due} />
        <form class="card" method="post">
          <h2>Payment details</h2>
          {error && <p role="alert" class="error">{error} Choose another card to try again.</p>}
          <label>
            Email
            <input type="email" name="email" required value={entries.email} autocomplete="email" />
          </label>
          <label>
            Name on card
            <input type="text" name="name" value={entries.name} autocomplete="cc-name" />
          </label>
          <fieldset>
            <legend>Test card</legend>
            {testCards.map((card) => (
              <CardChoice key={card.number} card={card} checked={card.number === entries.card} />
            ))}
            {!needsCard(session) && (
              <label class="choice">
                <input type="radio" name="card" value="none" checked={entries.card === "none"} />
                <span>No card</span>
                <small>nothing is due</small>
              </label>
            )}
          </fieldset>
          <button type="submit">Pay {due}</button>
          <p class="small">This is a simulated checkout. No money moves, and no real card can be entered.</p>
        </form>
      </main>
    </Layout>
  );
}

function CardChoice({ card, checked }: { card: TestCard; checked: boolean }) {
  return (
    <label class="choice">
      <input type="radio" name="card" value={card.number} checked={checked} />
      <span class="number">{card.number.match(/.{4}/g)?.join(" ")}</span>
      <small>{card.label}</small>
    </label>
  );
}

function Summary({ account, session, due }: { account: Account; session: CheckoutSession; due: string }) {
  const order = account.checkoutOrders.get(session.id);
  const trial = trialOf(order, account.now());
  const later = formatAmount(orderedAmount(account, order.items), session.currency ?? "usd");
  const items = listLineItems(account, session);
  return (
    <section class="summary" aria-label="Order">
      <p class="small">Subscribe to</p>
      <h1>{items.map((item) => item.description).join(" and ")}</h1>
      <table>
        <tbody>
          {items.map((item) => <SummaryLine key={item.id} item={item} />)}
          {trial && (
            <tr>
              <td>Free trial until {formatDay(trial.end)}, then {later}</td>
              <td />
            </tr>
          )}
          <tr class="total">
            <th scope="row">Total due today</th>
            <td>{due}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function SummaryLine({ item }: { item: LineItem }) {
  return (
    <tr>
      <td>
        {item.description}
        {item.quantity !== null && item.quantity > 1 && ` × ${item.quantity}`}
      </td>
      <td>{formatPrice(item.price)}</td>
    </tr>
  );
}

function Completed({ session }: { session: CheckoutSession }) {
  const { success_url: url } = session;
  return (
    <Notice
      title="You are all done here"
      text="This checkout has already been completed."
      link={url ? { href: url, label: `Return to ${siteOf(url)}` } : undefined}
    />
  );
}

function Expired({ session }: { session: CheckoutSession | undefined }) {
  const url = session?.cancel_url;
  return (
    <Notice
      title="This checkout is no longer available"
      text="It has expired, or it never existed. Go back and start again."
      link={url ? { href: url, label: `Return to ${siteOf(url)}` } : undefined}
    />
  );
}
