import type { Invoice } from "../browser/contract.ts";
import { fill } from "../browser/language.ts";
import { pageLanguage } from "../browser/page_language.ts";

/** The community's invoices, each with links to Stripe's page for it and to the document. */
export default function InvoiceList({ invoices }: { invoices: Invoice[] }) {
  const { texts: { invoices: texts } } = pageLanguage();
  return (
    <section class="card invoices" aria-labelledby="invoices">
      <h2 id="invoices">{texts.heading}</h2>
      {invoices.length === 0
        ? <p class="quiet">{texts.none}</p>
        : <ul>{invoices.map((invoice) => <InvoiceRow key={invoice.createdAt} invoice={invoice} />)}</ul>}
    </section>
  );
}

function InvoiceRow({ invoice }: { invoice: Invoice }) {
  const { texts: { invoices: texts }, date, money } = pageLanguage();
  const number = invoice.number ?? "";
  return (
    <li>
      <span>{date(invoice.createdAt)}</span>
      <span class="amount">{money(invoice.amountDueCents, invoice.currency)}</span>
      <span class="tag" data-status={invoice.status}>{texts.statuses[invoice.status] ?? invoice.status}</span>
      <span class="links">
        <DocumentLink href={invoice.hostedInvoiceUrl} label={fill(texts.viewLabel, { number })}>
          {texts.view}
        </DocumentLink>
        <DocumentLink href={invoice.invoicePdf} label={fill(texts.pdfLabel, { number })}>
          {texts.pdf}
        </DocumentLink>
      </span>
    </li>
  );
}

function DocumentLink({ href, label, children }: { href: string | null; label: string; children: string }) {
  return href && <a href={href} target="_blank" rel="noopener" aria-label={label}>{children}</a>;
}
