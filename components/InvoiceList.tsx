import type { Invoice } from "../browser/contract.ts";
import { describeInvoiceStatus, formatDate, formatMoney, texts } from "../browser/texts.ts";

/** The community's invoices, each with a link to Stripe's page for it. */
export default function InvoiceList({ invoices }: { invoices: Invoice[] }) {
  return (
    <section class="card invoices" aria-labelledby="invoices">
      <h2 id="invoices">{texts.invoices}</h2>
      <ul>
        {invoices.map((invoice) => (
          <li key={invoice.number}>
            <span>{formatDate(invoice.createdAt)}</span>
            <span class="amount">{formatMoney(invoice.amountDueCents, invoice.currency)}</span>
            <span class="tag" data-status={invoice.status}>{describeInvoiceStatus(invoice)}</span>
            {invoice.hostedInvoiceUrl && (
              <a
                href={invoice.hostedInvoiceUrl}
                target="_blank"
                rel="noopener"
                aria-label={texts.invoiceLink(invoice)}
              >
                {texts.view}
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
