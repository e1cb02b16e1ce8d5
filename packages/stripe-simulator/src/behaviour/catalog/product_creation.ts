import type { Change } from "../../account/change.ts";
import { newProduct, type Product, type ProductFields } from "../../objects/product.ts";
import { invalidRequest } from "../../wire/errors.ts";

/** Creates a product. Throws a 400 when its id is taken. */
export function createProduct(change: Change, fields: ProductFields): Product {
  const { products } = change.account;
  if (fields.id && products.find(fields.id)) {
    throw invalidRequest(`Product already exists: ${fields.id}`, {
      code: "resource_already_exists",
      param: "id",
    });
  }
  const product = products.put(newProduct(change.now, fields));
  change.emit("product.created", product);
  return product;
}
