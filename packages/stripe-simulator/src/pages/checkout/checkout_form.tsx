import type { Account } from "../../account/account.ts";
import { noCause, perform } from "../../account/change.ts";
import { formatAmount, formatPrice } from "../../behaviour/catalog/money.ts";
import { orderedAmount } from "../../behaviour/catalog/order_items.ts";
import { commonCurrencies, inCurrency } from "../../behaviour/catalog/presentment.ts";
import { collectsAddress } from "../../behaviour/checkout/entered_details.ts";
import {
  needsCard,
  payCheckout,
  repriceCheckout,
  trialOf,
} from "../../behaviour/checkout/checkout_payment.ts";
import { listLineItems } from "../../behaviour/checkout/line_items.ts";
import type { CheckoutSession, LineItem } from "../../objects/checkout_session.ts";
import { findTestCard, type TestCard, testCards } from "../../objects/test_card.ts";
import { StripeError } from "../../wire/errors.ts";
import { formatDay } from "../formats.ts";
import { Form } from "../submitted_form.ts";

/** The submitted fields, to show them again with an error. */
export interface Entries {
  card: string;
  email: string;
  name: string;
  business_name: string;
  country: string;
  currency: string;
  promotion_code: string;
  tax_id: string;
}

/** The result of a submitted form. */
export type Submission =
  | { kind: "completed"; session: CheckoutSession }
  | { kind: "repriced"; session: CheckoutSession; entries: Entries }
  | { kind: "challenge"; entries: Entries }
  | { kind: "refused"; entries: Entries; error: StripeError };

/** The default payer, so that one click is enough to pay. */
const examplePayer = { email: "jenny.rosen@example.com", name: "Jenny Rosen" };

/** The initial values of the form. */
export function firstEntries(account: Account, session: CheckoutSession): Entries {
  const customer = account.customers.find(session.customer ?? "");
  return {
    card: testCards[0].number,
    email: session.customer_email ?? customer?.email ?? examplePayer.email,
    name: customer?.name ?? examplePayer.name,
    business_name: "",
    country: customer?.address?.country ?? "US",
    currency: session.currency ?? "usd",
    promotion_code: "",
    tax_id: "",
  };
}

/**
 * Pays with the submitted fields. A card that requires authentication leads to its challenge first, which submits the
 * form again with the result.
 */
export async function submit(
  account: Account,
  session: CheckoutSession,
  request: Request,
): Promise<Submission> {
  const form = await Form.of(request);
  const entries: Entries = {
    card: form.get("card"),
    email: form.get("email"),
    name: form.get("name"),
    business_name: form.get("business_name"),
    country: form.get("country"),
    currency: form.get("currency"),
    promotion_code: form.get("promotion_code"),
    tax_id: form.get("tax_id"),
  };
  const card = findTestCard(entries.card) ?? null;
  const authentication = form.get("authentication") === "failed" ? "failed" : "passed";
  const address = form.has("country")
    ? { ...noAddress, country: entries.country.toUpperCase() || null }
    : undefined;
  const payer = { email: entries.email || null, name: entries.name || null, address };
  const attempt = {
    authentication,
    businessName: entries.business_name || undefined,
    card,
    currency: entries.currency || undefined,
    payer,
    promotionCode: form.has("promotion_code") ? entries.promotion_code : undefined,
    taxId: entries.tax_id ? taxIdIn(entries) : undefined,
  } as const;
  try {
    if (form.has("reprice")) {
      const priced = perform(account, noCause, (change) => repriceCheckout(change, session, attempt));
      return { kind: "repriced", session: priced, entries };
    }
    if (card?.authentication && !form.has("authentication")) return { kind: "challenge", entries };
    const completed = perform(account, noCause, (change) => {
      return payCheckout(change, session, attempt);
    });
    return { kind: "completed", session: completed };
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return { kind: "refused", entries, error };
  }
}

const noAddress = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

/** The page guesses the type of a tax id from its country. */
function taxIdIn({ country, tax_id: value }: Entries): { type: string; value: string } {
  const types: Record<string, string> = {
    AU: "au_abn",
    CA: "ca_gst_hst",
    CH: "ch_vat",
    GB: "gb_vat",
    NO: "no_vat",
    NZ: "nz_gst",
    US: "us_ein",
  };
  return { type: types[country.toUpperCase()] ?? "eu_vat", value };
}

interface FormProps {
  account: Account;
  session: CheckoutSession;
  entries: Entries;
  error?: string;
}

/** The form for the payer and the test card. */
export function CheckoutForm({ account, session, entries, error }: FormProps) {
  return (
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
      <OrderFields account={account} session={session} entries={entries} />
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
      <button type="submit">{submitLabel(session)}</button>
      <p class="small">This is a simulated checkout. No money moves, and no real card can be entered.</p>
    </form>
  );
}

/** What a session may ask for beside the card: currency, address, tax id and promotion code. */
function OrderFields({ account, session, entries }: Omit<FormProps, "error">) {
  if (session.mode === "setup") return null;
  const order = account.checkoutOrders.get(session.id);
  const prices = order.items.map(({ price }) => account.prices.get(price));
  const currencies = order.isCurrencyFixed ? [] : commonCurrencies(account, prices);
  return (
    <>
      {currencies.length > 1 && (
        <label>
          Currency
          <select name="currency">
            {currencies.map((currency) => (
              <option key={currency} value={currency} selected={currency === entries.currency}>
                {currency.toUpperCase()}
              </option>
            ))}
          </select>
        </label>
      )}
      {collectsAddress(session, order) && (
        <label>
          Country (two letters)
          <input
            type="text"
            name="country"
            maxlength={2}
            required
            value={entries.country}
            autocomplete="country"
          />
        </label>
      )}
      {session.tax_id_collection?.enabled && (
        <>
          <label>
            Business name
            <input
              type="text"
              name="business_name"
              value={entries.business_name}
              autocomplete="organization"
            />
          </label>
          <label>
            Tax ID
            <input type="text" name="tax_id" value={entries.tax_id} />
          </label>
        </>
      )}
      {session.allow_promotion_codes && (
        <label>
          Promotion code
          <input type="text" name="promotion_code" value={entries.promotion_code} />
        </label>
      )}
      {(currencies.length > 1 || collectsAddress(session, order) || session.allow_promotion_codes) && (
        <button type="submit" name="reprice" value="1" class="secondary" formnovalidate>Update total</button>
      )}
    </>
  );
}

/** The label of the submit button: `Pay $15.00`, or `Save card` in setup mode. */
export function submitLabel(session: CheckoutSession): string {
  return session.mode === "setup" ? "Save card" : `Pay ${amountDue(session)}`;
}

function amountDue({ amount_total: amount, currency }: CheckoutSession): string {
  return formatAmount(amount ?? 0, currency ?? "usd");
}

export function CardChoice({ card, checked }: { card: TestCard; checked: boolean }) {
  return (
    <label class="choice">
      <input type="radio" name="card" value={card.number} checked={checked} />
      <span class="number">{card.number.match(/.{4}/g)?.join(" ")}</span>
      <small>{card.label}</small>
    </label>
  );
}

/** The page of the card's bank for 3D Secure. It submits the given fields again with the result. */
export function Challenge({ action, entries }: { action: string; entries: { card: string } & object }) {
  return (
    <form class="card challenge" method="post">
      <h1>Your bank wants to know that it is you</h1>
      <p>
        {action} with the card ending in{" "}
        {entries.card.slice(-4)}? This stands in for the page of the card's bank.
      </p>
      {Object.entries(entries).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <div class="choices">
        <button type="submit" name="authentication" value="passed">Complete authentication</button>
        <button type="submit" name="authentication" value="failed" class="secondary">
          Fail authentication
        </button>
      </div>
    </form>
  );
}

/** The items and the total due today. */
export function Summary({ account, session }: { account: Account; session: CheckoutSession }) {
  if (session.mode === "setup") return <SetupSummary />;
  const order = account.checkoutOrders.get(session.id);
  const trial = trialOf(order, account.now());
  const later = formatAmount(
    orderedAmount(account, order.items, session.currency ?? "usd"),
    session.currency ?? "usd",
  );
  const items = listLineItems(account, session);
  return (
    <section class="summary" aria-label="Order">
      <p class="small">{session.mode === "subscription" ? "Subscribe to" : "Buy"}</p>
      <h1>{items.map((item) => item.description).join(" and ")}</h1>
      <table>
        <tbody>
          {items.map((item) => <SummaryLine key={item.id} account={account} item={item} />)}
          {trial && (
            <tr>
              <td>Free trial until {formatDay(trial.end)}, then {later}</td>
              <td />
            </tr>
          )}
          {Boolean(session.total_details?.amount_discount) && (
            <tr>
              <td>Discount</td>
              <td>−{formatAmount(session.total_details?.amount_discount ?? 0, session.currency ?? "usd")}</td>
            </tr>
          )}
          {Boolean(session.total_details?.amount_tax) && (
            <tr>
              <td>Tax</td>
              <td>{formatAmount(session.total_details?.amount_tax ?? 0, session.currency ?? "usd")}</td>
            </tr>
          )}
          <tr class="total">
            <th scope="row">Total due today</th>
            <td>{amountDue(session)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function SetupSummary() {
  return (
    <section class="summary" aria-label="Order">
      <h1>Save a card for later</h1>
      <p>Nothing is charged today.</p>
    </section>
  );
}

function SummaryLine({ account, item }: { account: Account; item: LineItem }) {
  return (
    <tr>
      <td>
        {item.description}
        {item.quantity !== null && item.quantity > 1 && ` × ${item.quantity}`}
      </td>
      <td>{formatPrice(inCurrency(account, item.price, item.currency))}</td>
    </tr>
  );
}
