import type { Account } from "../../account/account.ts";
import { noCause, perform } from "../../account/change.ts";
import { formatAmount, formatPrice } from "../../behaviour/catalog/money.ts";
import { inCurrency } from "../../behaviour/catalog/presentment.ts";
import { canUpdate, offeredPrices, planInPortal, updateInPortal } from "../../behaviour/portal_actions.ts";
import { isDeferred, type PlanChoice } from "../../behaviour/portal_plan_rules.ts";
import { invoiceOf } from "../../behaviour/subscriptions/plan_change.ts";
import type { Price } from "../../objects/price.ts";
import { currentPeriodEnd, type Subscription } from "../../objects/subscription.ts";
import { describePlan, formatDay, productName } from "../formats.ts";
import { Form } from "../submitted_form.ts";
import { html } from "../page_layout.tsx";
import {
  attempt,
  completed,
  expired,
  findVisit,
  leaveUrl,
  ownSubscription,
  PortalLayout,
  type Visit,
} from "./portal_visit.tsx";

/** A visit to change a subscription. */
interface Updating extends Visit {
  subscription: Subscription;
}

/** `GET …/subscriptions/:id/update`: the plans to choose from. */
export function showUpdate(account: Account, token: string, id: string): Response {
  const updating = enterToUpdate(account, token, id);
  return updating ? html(<UpdatePage updating={updating} />) : expired();
}

/** `GET …/subscriptions/:id/update/confirm?price=…`: the price of the choice. */
export function showConfirmation(account: Account, token: string, id: string, request: Request): Response {
  const updating = enterToUpdate(account, token, id);
  const choice = updating && choiceIn(updating, request);
  return choice ? html(<ConfirmPage updating={updating} choice={choice} />) : expired();
}

/** `POST …/subscriptions/:id/update/confirm?price=…`: changes the plan. */
export async function submitUpdate(
  account: Account,
  token: string,
  id: string,
  request: Request,
): Promise<Response> {
  const updating = enterToUpdate(account, token, id);
  const chosen = updating && choiceIn(updating, request);
  if (!chosen) return expired();
  const typed = (await Form.of(request)).get("promotion_code");
  const choice = acceptsCodes(updating) && typed !== "" ? { ...chosen, promotionCode: typed } : chosen;
  const error = attempt(updating, (change) => {
    updateInPortal(change, updating.subscription, updating.configuration, choice);
  });
  if (!error) return completed(updating, "Your subscription has been updated");
  return html(<ConfirmPage updating={updating} choice={choice} error={error.message} />, error.status);
}

function enterToUpdate(account: Account, token: string, id: string): Updating | undefined {
  const visit = findVisit(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription || !canUpdate(account, visit.configuration, subscription)) return;
  return { ...visit, subscription };
}

/** The choice in the URL, if it is one of the offered prices. */
function choiceIn(updating: Updating, request: Request): PlanChoice | undefined {
  const { searchParams: query } = new URL(request.url);
  const price = pricesFor(updating).find(({ id }) => id === query.get("price"));
  const quantity = Number(query.get("quantity") ?? updating.subscription.items.data[0].quantity ?? 1);
  if (!price || !Number.isInteger(quantity) || quantity < 1) return;
  return { price: price.id, quantity };
}

function acceptsCodes({ configuration }: Updating): boolean {
  return configuration.features.subscription_update.default_allowed_updates.includes("promotion_code");
}

function pricesFor({ account, configuration, subscription }: Updating): Price[] {
  return offeredPrices(account, configuration, subscription);
}

function UpdatePage({ updating }: { updating: Updating }) {
  const { account, base, configuration, subscription } = updating;
  const prices = pricesFor(updating);
  const [item] = subscription.items.data;
  const hasQuantity = configuration.features.subscription_update.default_allowed_updates.includes("quantity");
  return (
    <PortalLayout title="Update subscription" visit={updating}>
      <h1>Update your subscription</h1>
      <p>Now: {describePlan(account, subscription)}</p>
      {prices.length === 0
        ? <p>There is no other plan to choose.</p>
        : (
          <form class="card" method="get" action={`${base}/subscriptions/${subscription.id}/update/confirm`}>
            <fieldset>
              <legend>Plan</legend>
              {prices.map((price) => (
                <label class="choice" key={price.id}>
                  <input
                    type="radio"
                    name="price"
                    value={price.id}
                    required
                    checked={price.id === item.price.id}
                  />
                  <span>{productName(account, price)}</span>
                  <small>{formatPrice(inCurrency(account, price, subscription.currency))}</small>
                </label>
              ))}
            </fieldset>
            {hasQuantity && (
              <label>
                Quantity
                <input type="number" name="quantity" min="1" value={item.quantity ?? 1} />
              </label>
            )}
            <div class="choices">
              <button type="submit">Continue</button>
              <a class="button secondary" href={leaveUrl(updating)}>Go back</a>
            </div>
          </form>
        )}
    </PortalLayout>
  );
}

interface ConfirmPageProps {
  updating: Updating;
  choice: PlanChoice;
  error?: string;
}

function ConfirmPage({ updating, choice, error }: ConfirmPageProps) {
  const { account, base, subscription } = updating;
  const price = account.prices.get(choice.price);
  const bill = billFor(updating, choice);
  return (
    <PortalLayout title="Confirm your update" visit={updating}>
      <h1>Confirm your update</h1>
      <article class="card">
        {error && <p role="alert" class="error">{error}</p>}
        <h2>
          {productName(account, price)}, {formatPrice(inCurrency(account, price, subscription.currency))}
          {choice.quantity !== undefined && choice.quantity > 1 && ` × ${choice.quantity}`}
        </h2>
        <table class="summary">
          <tbody>
            {bill.lines.map((line) => (
              <tr key={line.text}>
                <td>{line.text}</td>
                <td>{formatAmount(line.amount, subscription.currency)}</td>
              </tr>
            ))}
            <tr class="total">
              <th scope="row">{bill.isNow ? "Amount due today" : "On your next invoice"}</th>
              <td>{formatAmount(bill.total, subscription.currency)}</td>
            </tr>
          </tbody>
        </table>
        <form method="post">
          {acceptsCodes(updating) && (
            <label>
              Promotion code
              <input type="text" name="promotion_code" value={choice.promotionCode ?? ""} />
            </label>
          )}
          <div class="choices">
            <button type="submit">Confirm</button>
            <a class="button secondary" href={`${base}/subscriptions/${subscription.id}/update`}>Go back</a>
          </div>
        </form>
      </article>
    </PortalLayout>
  );
}

/** Calculates the price of the choice without applying it. */
function billFor({ account, configuration, subscription }: Updating, choice: PlanChoice) {
  if (isDeferred(account, configuration, subscription, choice)) {
    const text = `From ${formatDay(currentPeriodEnd(subscription))} on`;
    return { isNow: false, lines: [{ amount: 0, text }], total: 0 };
  }
  return perform(account, noCause, (cause) => {
    const change = cause.of(subscription);
    const plan = planInPortal(change, subscription, configuration, choice);
    if (plan.isInvoiced) {
      const invoice = invoiceOf(change, plan);
      const lines = invoice.lines.data.map(({ amount, description }) => ({
        amount,
        text: description ?? "",
      }));
      return { isNow: true, lines, total: Math.max(invoice.total, 0) };
    }
    const lines = plan.prorations.map(({ amount, description, period }) => ({
      amount,
      text: description ?? `Until ${formatDay(period.end)}`,
    }));
    return { isNow: false, lines, total: lines.reduce((sum, { amount }) => sum + amount, 0) };
  });
}
