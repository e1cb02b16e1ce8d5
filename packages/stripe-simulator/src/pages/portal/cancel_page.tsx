import type { Account } from "../../account/account.ts";
import { formatAmount } from "../../behaviour/catalog/money.ts";
import { acceptOffer, canCancel, cancelInPortal } from "../../behaviour/portal_actions.ts";
import type { Feedback } from "../../behaviour/subscriptions/cancellation.ts";
import { currentPeriodEnd, type Subscription } from "../../objects/subscription.ts";
import { describePlan, formatDay } from "../formats.ts";
import { html } from "../page_layout.tsx";
import { Form } from "../submitted_form.ts";
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

/** `GET …/subscriptions/:id/cancel`: asks to confirm the cancellation. */
export function showCancel(account: Account, token: string, id: string): Response {
  const visit = findVisit(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription || !canCancel(visit.configuration, subscription)) return expired();
  return html(<CancelPage visit={visit} subscription={subscription} />);
}

/** `POST …/subscriptions/:id/cancel`: cancels now or at the end of the period. */
export async function submitCancel(
  account: Account,
  token: string,
  id: string,
  request: Request,
): Promise<Response> {
  const visit = findVisit(account, token);
  const subscription = visit && ownSubscription(visit, id);
  if (!subscription || !canCancel(visit.configuration, subscription)) return expired();
  const form = await Form.of(request);
  const offer = offerOf(visit);
  if (offer !== null && form.has("accept_offer")) {
    const refused = attempt(visit, (change) => acceptOffer(change, subscription, offer));
    if (!refused) return completed(visit, "Your discount has been applied");
    return html(<CancelPage visit={visit} subscription={subscription} error={refused.message} />, 400);
  }
  const error = attempt(visit, (change) => {
    cancelInPortal(change, subscription, visit.configuration, feedbackIn(form));
  });
  if (error) return html(<CancelPage visit={visit} subscription={subscription} error={error.message} />, 400);
  return completed(visit, "Your subscription has been canceled");
}

/** The coupon that the session offers to customers who would stay for it, or null. */
function offerOf({ session }: Visit): string | null {
  return session.flow?.subscription_cancel?.retention?.coupon_offer?.coupon ?? null;
}

function feedbackIn(form: Form): Feedback {
  const reason = reasons.find(({ value }) => value === form.get("feedback"));
  return { feedback: reason?.value ?? null, comment: form.get("comment") || null };
}

const reasons = [
  { value: "too_expensive", label: "It is too expensive" },
  { value: "missing_features", label: "Something is missing" },
  { value: "switched_service", label: "I found something else" },
  { value: "unused", label: "I do not use it" },
  { value: "customer_service", label: "The customer service could be better" },
  { value: "too_complex", label: "It is too complicated" },
  { value: "low_quality", label: "The quality could be better" },
  { value: "other", label: "Another reason" },
] as const;

interface CancelPageProps {
  visit: Visit;
  subscription: Subscription;
  error?: string;
}

function CancelPage({ visit, subscription, error }: CancelPageProps) {
  const { cancellation_reason: reason, mode } = visit.configuration.features.subscription_cancel;
  const end = formatDay(currentPeriodEnd(subscription));
  return (
    <PortalLayout title="Cancel subscription" visit={visit}>
      <h1>Cancel your subscription?</h1>
      <article class="card">
        <h2>{describePlan(visit.account, subscription)}</h2>
        {error && <p role="alert" class="error">{error}</p>}
        <p>
          {mode === "immediately"
            ? "It ends at once."
            : `It stays available until ${end} and is not renewed after that.`}
        </p>
        <Offer visit={visit} />
        <form method="post">
          {reason.enabled && <ReasonFields options={reason.options.map(String)} />}
          <div class="choices">
            <button type="submit" class="danger">Confirm cancellation</button>
            <a class="button secondary" href={leaveUrl(visit)}>Keep subscription</a>
          </div>
        </form>
      </article>
    </PortalLayout>
  );
}

function Offer({ visit }: { visit: Visit }) {
  const coupon = visit.account.coupons.find(offerOf(visit) ?? "");
  if (!coupon) return null;
  const { amount_off: amount, currency, percent_off: percent } = coupon;
  const off = percent === null ? formatAmount(amount ?? 0, currency ?? "usd") : `${percent}%`;
  return (
    <form method="post">
      <p>Stay, and get {off} off{coupon.name ? `: ${coupon.name}` : ""}.</p>
      <button type="submit" name="accept_offer" value="1">Accept the offer</button>
    </form>
  );
}

function ReasonFields({ options }: { options: string[] }) {
  return (
    <>
      <fieldset>
        <legend>Why do you cancel?</legend>
        {reasons.filter(({ value }) => options.length === 0 || options.includes(value)).map((reason) => (
          <label class="choice" key={reason.value}>
            <input type="radio" name="feedback" value={reason.value} />
            <span>{reason.label}</span>
          </label>
        ))}
      </fieldset>
      <label>
        Anything else?
        <input type="text" name="comment" />
      </label>
    </>
  );
}
