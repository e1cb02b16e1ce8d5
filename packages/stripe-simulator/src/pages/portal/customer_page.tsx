import type { Account } from "../../account/account.ts";
import { updateCustomerInPortal } from "../../behaviour/portal_actions.ts";
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

const fields = [
  { name: "name", label: "Name", type: "text", autocomplete: "name" },
  { name: "email", label: "Email", type: "email", autocomplete: "email" },
  { name: "phone", label: "Phone", type: "tel", autocomplete: "tel" },
] as const;

/** `GET …/customer`: the details that the customer can change. */
export function showCustomer(account: Account, token: string): Response {
  const visit = enterToUpdate(account, token);
  return visit ? html(<CustomerPage visit={visit} />) : expired();
}

/** `POST …/customer`: saves them. */
export async function submitCustomer(account: Account, token: string, request: Request): Promise<Response> {
  const visit = enterToUpdate(account, token);
  if (!visit) return expired();
  const form = await Form.of(request);
  const changes = allowedFields(visit).map(({ name }) => [name, form.get(name) || null]);
  attempt(visit, (change) => updateCustomerInPortal(change, visit.customer, Object.fromEntries(changes)));
  return completed(visit, "Your billing information has been updated");
}

function enterToUpdate(account: Account, token: string): Visit | undefined {
  const visit = findVisit(account, token);
  return visit?.configuration.features.customer_update.enabled ? visit : undefined;
}

function allowedFields({ configuration }: Visit) {
  const { allowed_updates: allowed } = configuration.features.customer_update;
  return fields.filter(({ name }) => allowed.includes(name));
}

function CustomerPage({ visit }: { visit: Visit }) {
  return (
    <PortalLayout title="Billing information" visit={visit}>
      <h1>Your billing information</h1>
      <form class="card" method="post">
        {allowedFields(visit).map(({ name, label, type, autocomplete }) => (
          <label key={name}>
            {label}
            <input type={type} name={name} autocomplete={autocomplete} value={visit.customer[name] ?? ""} />
          </label>
        ))}
        <div class="choices">
          <button type="submit">Save</button>
          <a class="button secondary" href={leaveUrl(visit)}>Go back</a>
        </div>
      </form>
    </PortalLayout>
  );
}
