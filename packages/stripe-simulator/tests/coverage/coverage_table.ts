import { endpoints } from "../../src/api/all_endpoints.ts";
import { endpointsOf, type SdkEndpoint } from "./sdk_endpoints.ts";

/** The resources of a subscription business, as the SDK names their files. */
const resources = [
  "Products",
  "Prices",
  "Plans",
  "Coupons",
  "PromotionCodes",
  "TaxRates",
  "Customers",
  "TaxIds",
  "PaymentMethods",
  "Checkout/Sessions",
  "Subscriptions",
  "SubscriptionItems",
  "SubscriptionSchedules",
  "Invoices",
  "InvoiceItems",
  "InvoicePayments",
  "CreditNotes",
  "PaymentIntents",
  "SetupIntents",
  "Charges",
  "Refunds",
  "Disputes",
  "Billing/Meters",
  "Billing/MeterEvents",
  "Billing/MeterEventAdjustments",
  "BillingPortal/Configurations",
  "BillingPortal/Sessions",
  "Events",
  "WebhookEndpoints",
  "V2/Core/EventDestinations",
  "TestHelpers/TestClocks",
  "Quotes",
  "PaymentLinks",
];

/** The table of the README. */
export async function coverageTable(): Promise<string> {
  const rows = await Promise.all(resources.map(async (resource) => {
    const judged = (await endpointsOf(resource)).map((endpoint) => ({
      endpoint,
      accepted: acceptedBy(endpoint),
    }));
    const whole = judged.filter(({ endpoint, accepted }) => accepted?.length === endpoint.params.length);
    const part = judged.filter(({ endpoint, accepted }) =>
      accepted && accepted.length < endpoint.params.length
    );
    const missing = judged.filter(({ accepted }) => !accepted);
    return [
      resource.replaceAll("/", " "),
      whole.map(({ endpoint }) => endpoint.name).join(", "),
      part.map(({ endpoint: { name, params }, accepted }) => `${name} ${accepted?.length}/${params.length}`)
        .join(", "),
      missing.map(({ endpoint }) => endpoint.name).join(", "),
    ];
  }));
  const header = [["resource", "whole", "part", "not there"], ["---", "---", "---", "---"]];
  return [...header, ...rows].map((cells) => `| ${cells.map((cell) => cell || " ").join(" | ")} |`).join(
    "\n",
  );
}

/** The parameters that the simulator accepts of those the SDK has. Undefined when it has no such endpoint. */
function acceptedBy({ method, params, path }: SdkEndpoint): string[] | undefined {
  const ours = endpoints.find((endpoint) =>
    endpoint.method === method && `/${endpoint.segments.join("/")}` === path
  );
  return ours && params.filter((name) => ours.params.includes(name));
}

const marks = /(<!-- coverage -->\n)[^]*?(<!-- \/coverage -->)/;

/** The README with the table as it is now. */
export async function withTable(readme: string): Promise<string> {
  const table = await coverageTable();
  return readme.replace(marks, (_, start, end) => `${start}\n${table}\n\n${end}`);
}
