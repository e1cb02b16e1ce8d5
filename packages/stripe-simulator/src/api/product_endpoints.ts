import { createProduct } from "../behaviour/catalog/product_creation.ts";
import type { Product } from "../objects/product.ts";
import { invalidRequest } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { boolean, clearable, list, metadata, pagination, text, timeFilter, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const fields = {
  active: boolean().optional(),
  description: clearable(text()).optional(),
  images: clearable(list(url())).optional(),
  metadata: metadata().optional(),
  unit_label: clearable(text(12)).optional(),
  url: clearable(url()).optional(),
};

export const productEndpoints = [
  endpoint("POST /v1/products", { ...fields, id: text().optional(), name: text() }, ({ change, params }) => {
    return createProduct(change, {
      ...params,
      images: params.images ?? [],
      metadata: mergeMetadata({}, params.metadata),
    });
  }),

  endpoint("GET /v1/products", {
    ...pagination,
    active: boolean().optional(),
    created: timeFilter().optional(),
    ids: list(text()).optional(),
  }, ({ account, params }) => {
    const found = account.products.newestFirst().filter((product) =>
      (params.active === undefined || product.active === params.active) &&
      (params.ids === undefined || params.ids.includes(product.id)) &&
      passes(product.created, params.created)
    );
    return paginate(found, params, "/v1/products");
  }),

  endpoint("GET /v1/products/:id", {}, ({ account, id }) => account.products.get(id)),

  endpoint("POST /v1/products/:id", {
    ...fields,
    default_price: text().optional(),
    name: text().optional(),
  }, ({ account, change, params, id }) => {
    const before = account.products.get(id);
    if (params.default_price) account.prices.getReferenced(params.default_price, "default_price");
    const after: Product = {
      ...before,
      ...params,
      images: params.images === undefined ? before.images : params.images ?? [],
      metadata: mergeMetadata(before.metadata, params.metadata),
      updated: change.now,
    };
    account.products.put(after);
    change.emit("product.updated", after, before);
    return after;
  }),

  endpoint("DELETE /v1/products/:id", {}, ({ account, change, id }) => {
    const product = account.products.get(id);
    if (account.prices.oldestFirst().some((price) => price.product === id)) {
      throw invalidRequest("This product cannot be deleted because it has one or more user-created prices.");
    }
    account.products.remove(id);
    change.emit("product.deleted", product);
    return { id, object: "product", deleted: true };
  }),
];
