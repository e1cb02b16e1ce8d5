import type { Account } from "../../account/account.ts";
import { updateCustomerInPortal } from "../../behaviour/portal_actions.ts";
import { taxIdsOf, taxIdTypes } from "../../behaviour/taxes/customer_tax_ids.ts";
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
  const error = attempt(visit, (change) => {
    updateCustomerInPortal(change, visit.customer, {
      ...Object.fromEntries(changes),
      ...(allows(visit, "address") ? { address: addressIn(form) } : {}),
      ...(allows(visit, "tax_id") && form.get("tax_id") !== ""
        ? { taxId: { type: form.get("tax_id_type"), value: form.get("tax_id") } }
        : {}),
    });
  });
  if (error) return html(<CustomerPage visit={visit} error={error.message} />, error.status);
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

function allows({ configuration }: Visit, update: string): boolean {
  return configuration.features.customer_update.allowed_updates.includes(update);
}

const addressFields = [
  { name: "line1", label: "Address", autocomplete: "address-line1" },
  { name: "postal_code", label: "Postal code", autocomplete: "postal-code" },
  { name: "city", label: "City", autocomplete: "address-level2" },
  { name: "state", label: "State", autocomplete: "address-level1" },
  { name: "country", label: "Country (two letters)", autocomplete: "country" },
] as const;

function addressIn(form: Form) {
  const value = (name: string) => form.get(name) || null;
  return {
    city: value("city"),
    country: value("country")?.toUpperCase() ?? null,
    line1: value("line1"),
    line2: null,
    postal_code: value("postal_code"),
    state: value("state"),
  };
}

function CustomerPage({ visit, error }: { visit: Visit; error?: string }) {
  const { account, customer } = visit;
  return (
    <PortalLayout title="Billing information" visit={visit}>
      <h1>Your billing information</h1>
      <form class="card" method="post">
        {error && <p role="alert" class="error">{error}</p>}
        {allowedFields(visit).map(({ name, label, type, autocomplete }) => (
          <label key={name}>
            {label}
            <input type={type} name={name} autocomplete={autocomplete} value={visit.customer[name] ?? ""} />
          </label>
        ))}
        {allows(visit, "address") && addressFields.map(({ name, label, autocomplete }) => (
          <label key={name}>
            {label}
            <input
              type="text"
              name={name}
              autocomplete={autocomplete}
              value={customer.address?.[name] ?? ""}
            />
          </label>
        ))}
        {allows(visit, "tax_id") && (
          <>
            {taxIdsOf(account, customer.id).map(({ value }) => <p key={value}>Tax ID: {value}</p>)}
            <label>
              Type of tax ID
              <select name="tax_id_type">
                {taxIdTypes.map((type) => <option key={type} value={type}>{type}</option>)}
              </select>
            </label>
            <label>
              Tax ID
              <input type="text" name="tax_id" />
            </label>
          </>
        )}
        <div class="choices">
          <button type="submit">Save</button>
          <a class="button secondary" href={leaveUrl(visit)}>Go back</a>
        </div>
      </form>
    </PortalLayout>
  );
}
