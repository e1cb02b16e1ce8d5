import type { Account } from "../account/account.ts";
import { formatAmount } from "../behaviour/money.ts";
import type { Invoice } from "../objects/invoice.ts";
import { html, Layout, Notice, Sandbox } from "./layout.tsx";
import { writePdf } from "./pdf.ts";
import { formatDay } from "./words.ts";

/** `GET /invoice/:id`: the page that `hosted_invoice_url` leads to. */
export function showInvoice(account: Account, id: string): Response {
  const invoice = account.invoices.find(id);
  return invoice ? html(<InvoicePage invoice={invoice} />) : notFound();
}

/** `GET /invoice/:id/pdf`: the file that `invoice_pdf` leads to. */
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
    `Total ${formatAmount(invoice.total, invoice.currency)}`,
  ];
  return new Response(writePdf(lines), {
    headers: {
      "content-type": "application/pdf",
      "content-disposition": `attachment; filename="Invoice-${invoice.number}.pdf"`,
    },
  });
}

function notFound(): Response {
  return html(<Notice title="No such invoice" text="There is no invoice at this address." />, 404);
}

function InvoicePage({ invoice }: { invoice: Invoice }) {
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
            <tr class="total">
              <th scope="row">Total</th>
              <td>{formatAmount(invoice.total, invoice.currency)}</td>
            </tr>
          </tbody>
        </table>
        {invoice.invoice_pdf && <a class="button" href={invoice.invoice_pdf}>Download invoice</a>}
      </main>
    </Layout>
  );
}
