import type { Account } from "../../account/account.ts";
import { type Change, noCause, perform } from "../../account/change.ts";
import { formatAmount } from "../../behaviour/catalog/money.ts";
import { payOnRequest } from "../../behaviour/invoices/invoice_requests.ts";
import { cardError } from "../../behaviour/payments/card_verdict.ts";
import type { Invoice } from "../../objects/invoice.ts";
import { newPaymentMethod } from "../../objects/payment_method.ts";
import { authenticationFailed, findTestCard, type TestCard, testCards } from "../../objects/test_card.ts";
import { StripeError } from "../../wire/errors.ts";
import { CardChoice, Challenge } from "../checkout/checkout_form.tsx";
import { formatDay } from "../formats.ts";
import { html, Layout, Notice, Sandbox, seeOther } from "../page_layout.tsx";
import { Form } from "../submitted_form.ts";
import { writePdf } from "./invoice_pdf.ts";

/** `GET /invoice/:id`: an invoice's `hosted_invoice_url`. */
export function showInvoice(account: Account, id: string): Response {
  const invoice = account.invoices.find(id);
  return invoice ? html(<InvoicePage account={account} invoice={invoice} />) : notFound();
}

/** `GET /invoice/:id/pdf`: an invoice's `invoice_pdf`. */
export function downloadInvoice(account: Account, id: string): Response {
  const invoice = account.invoices.find(id);
  if (!invoice) return notFound();
  const lines = [
    `Invoice ${invoice.number}`,
    `${formatDay(invoice.created)} - ${invoice.status}`,
    `Bill to ${invoice.customer_name ?? invoice.customer_email ?? invoice.customer}`,
    "",
    ...invoice.lines.data.map((line) => `${line.description}: ${formatAmount(line.amount, line.currency)}`),
    "",
    ...sumsOf(account, invoice).map(({ label, amount }) =>
      `${label}: ${formatAmount(amount, invoice.currency)}`
    ),
    `Total ${formatAmount(invoice.total, invoice.currency)}`,
  ];
  return new Response(writePdf(lines), {
    headers: {
      "content-type": "application/pdf",
      "content-disposition": `attachment; filename="Invoice-${invoice.number}.pdf"`,
    },
  });
}

/** `POST /invoice/:id`: pays with the chosen card, after its challenge when it requires authentication. */
export async function payInvoice(account: Account, id: string, request: Request): Promise<Response> {
  const invoice = account.invoices.find(id);
  if (!invoice) return notFound();
  const form = await Form.of(request);
  const card = findTestCard(form.get("card"));
  if (invoice.status !== "open" || !card) return seeOther(`/invoice/${id}`);
  if (card.authentication && !form.has("authentication")) {
    return html(<ChallengePage invoice={invoice} card={card.number} />);
  }
  try {
    perform(account, noCause, (change) => pay(change.of(invoice), invoice, card, form.get("authentication")));
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return html(
      <InvoicePage account={account} invoice={account.invoices.get(id)} error={error.message} />,
      error.status,
    );
  }
  return seeOther(`/invoice/${id}`);
}

function pay(change: Change, invoice: Invoice, card: TestCard, authentication: string) {
  if (authentication === "failed") throw cardError(authenticationFailed);
  const { account, now } = change;
  const payer = { email: invoice.customer_email, name: invoice.customer_name };
  const customer = String(invoice.customer);
  const method = account.paymentMethods.put(newPaymentMethod(now, { card, payer, customer }));
  payOnRequest(change, invoice, { method, presence: "authenticated" });
}

function notFound(): Response {
  return html(<Notice title="No such invoice" text="There is no invoice at this address." />, 404);
}

/** What stands between the lines and the total, or is taken from it: discounts, taxes, balance and credit notes. */
function sumsOf(account: Account, invoice: Invoice): { label: string; amount: number }[] {
  const balance = invoice.amount_due + invoice.pre_payment_credit_notes_amount - invoice.total;
  return [
    ...(invoice.total_discount_amounts ?? []).map(({ amount }) => ({ label: "Discount", amount: -amount })),
    ...(invoice.total_taxes ?? []).map(({ amount, tax_behavior, tax_rate_details: details }) => {
      const rate = account.taxRates.find(details?.tax_rate ?? "");
      const name = rate ? `${rate.display_name} ${rate.country} ${rate.percentage}%` : "Tax";
      return { label: tax_behavior === "inclusive" ? `${name}, included` : name, amount };
    }),
    ...(balance === 0 ? [] : [{ label: "Applied balance", amount: balance }]),
    ...account.creditNotes.oldestFirst().filter(({ invoice: id, status }) =>
      id === invoice.id && status === "issued"
    ).map(({ number, total }) => ({ label: `Credit note ${number}`, amount: -total })),
  ].filter(({ amount, label }) => amount !== 0 || label.endsWith("%"));
}

function InvoicePage({ account, invoice, error }: { account: Account; invoice: Invoice; error?: string }) {
  return (
    <Layout title={`Invoice ${invoice.number}`} kind="invoice">
      <main class="card">
        <Sandbox />
        <h1>Invoice {invoice.number}</h1>
        <p>
          {formatDay(invoice.created)} <span class={`badge ${invoice.status}`}>{invoice.status}</span>
        </p>
        <p>Bill to {invoice.customer_name ?? invoice.customer_email ?? invoice.customer}</p>
        <table>
          <tbody>
            {invoice.lines.data.map((line) => (
              <tr key={line.id}>
                <td>{line.description}</td>
                <td>{formatAmount(line.amount, line.currency)}</td>
              </tr>
            ))}
            {sumsOf(account, invoice).map(({ label, amount }) => (
              <tr key={label}>
                <td>{label}</td>
                <td>{formatAmount(amount, invoice.currency)}</td>
              </tr>
            ))}
            <tr class="total">
              <th scope="row">Total</th>
              <td>{formatAmount(invoice.total, invoice.currency)}</td>
            </tr>
          </tbody>
        </table>
        {invoice.status === "open" && <PaymentForm invoice={invoice} error={error} />}
        {invoice.invoice_pdf && <a class="button" href={invoice.invoice_pdf}>Download invoice</a>}
      </main>
    </Layout>
  );
}

function PaymentForm({ invoice, error }: { invoice: Invoice; error?: string }) {
  return (
    <form method="post">
      {error && <p role="alert" class="error">{error} Choose another card to try again.</p>}
      <fieldset>
        <legend>Test card</legend>
        {testCards.map((card, index) => <CardChoice key={card.number} card={card} checked={index === 0} />)}
      </fieldset>
      <button type="submit">Pay {formatAmount(invoice.amount_remaining, invoice.currency)}</button>
    </form>
  );
}

function ChallengePage({ invoice, card }: { invoice: Invoice; card: string }) {
  const amount = formatAmount(invoice.amount_remaining, invoice.currency);
  return (
    <Layout title="Authentication" kind="notice">
      <main>
        <Challenge action={`Pay ${amount}`} entries={{ card }} />
      </main>
    </Layout>
  );
}
