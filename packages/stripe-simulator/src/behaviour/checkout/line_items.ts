import type { Account } from "../../account/account.ts";
import { type CheckoutSession, type LineItem, newLineItem } from "../../objects/checkout_session.ts";
import { inCurrency } from "../catalog/presentment.ts";
import { priceInAdvance } from "../invoices/invoice_lines.ts";

/** The line items of a session. They are created when they are requested, since replies show them only on demand. */
export function listLineItems(account: Account, session: CheckoutSession): LineItem[] {
  const order = account.checkoutOrders.get(session.id);
  return order.items.map((item, index) => {
    const price = account.prices.get(item.price);
    const amount = priceInAdvance(
      inCurrency(account, price, session.currency ?? price.currency),
      item.quantity,
    );
    const { subtotal, discount, tax, total } = order.lines?.[index] ??
      { subtotal: amount, discount: 0, tax: 0, total: amount };
    const line = newLineItem(item, price, {
      amount: subtotal,
      description: account.products.find(price.product)?.name ?? price.product,
    });
    return {
      ...line,
      amount_discount: discount,
      amount_tax: tax,
      amount_total: total,
      currency: session.currency ?? price.currency,
    };
  });
}
