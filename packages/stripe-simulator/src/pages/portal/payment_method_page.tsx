import type { Account } from "../../account/account.ts";
import { replaceCard } from "../../behaviour/portal_actions.ts";
import { findTestCard, testCards } from "../../objects/test_card.ts";
import { CardChoice, Challenge } from "../checkout/checkout_form.tsx";
import { html } from "../page_layout.tsx";
import { Form } from "../submitted_form.ts";
import {
  attempt,
  completed,
  expired,
  findVisit,
  leaveUrl,
  PortalLayout,
  type Visit,
} from "./portal_visit.tsx";

/** `GET …/payment-method`: the test cards to choose from. */
export function showPaymentMethod(account: Account, token: string): Response {
  const visit = enterToUpdate(account, token);
  return visit ? html(<CardPage visit={visit} />) : expired();
}

/** `POST …/payment-method`: saves the card, after its challenge when it requires authentication. */
export async function submitPaymentMethod(
  account: Account,
  token: string,
  request: Request,
): Promise<Response> {
  const visit = enterToUpdate(account, token);
  if (!visit) return expired();
  const form = await Form.of(request);
  const card = findTestCard(form.get("card"));
  if (!card) return html(<CardPage visit={visit} error="Choose one of the cards." />, 400);
  if (card.authentication && !form.has("authentication")) {
    return html(<ChallengePage visit={visit} card={card.number} />);
  }
  const authentication = form.get("authentication") === "failed" ? "failed" : "passed";
  const error = attempt(visit, (change) => replaceCard(change, visit.customer, card, authentication));
  if (error) return html(<CardPage visit={visit} error={error.message} />, error.status);
  return completed(visit, "Your payment method has been updated");
}

function enterToUpdate(account: Account, token: string): Visit | undefined {
  const visit = findVisit(account, token);
  return visit?.configuration.features.payment_method_update.enabled ? visit : undefined;
}

function CardPage({ visit, error }: { visit: Visit; error?: string }) {
  return (
    <PortalLayout title="Update payment method" visit={visit}>
      <h1>Update your payment method</h1>
      <form class="card" method="post">
        {error && <p role="alert" class="error">{error}</p>}
        <fieldset>
          <legend>Test card</legend>
          {testCards.map((card, index) => <CardChoice key={card.number} card={card} checked={index === 0} />)}
        </fieldset>
        <div class="choices">
          <button type="submit">Save card</button>
          <a class="button secondary" href={leaveUrl(visit)}>Go back</a>
        </div>
      </form>
    </PortalLayout>
  );
}

function ChallengePage({ visit, card }: { visit: Visit; card: string }) {
  return (
    <PortalLayout title="Authentication" visit={visit}>
      <Challenge action="Pay from now on" entries={{ card }} />
    </PortalLayout>
  );
}
