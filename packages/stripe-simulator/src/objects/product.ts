import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type Product = Stored<Stripe.Product>;

/** The fields that a new product can be given. */
export type ProductFields =
  & { name: string }
  & Partial<Pick<Product, "active" | "description" | "id" | "images" | "metadata" | "unit_label" | "url">>;

export function newProduct(created: number, fields: ProductFields): Product {
  return {
    id: fields.id ?? newId("prod", 14),
    object: "product",
    active: fields.active ?? true,
    created,
    default_price: null,
    description: fields.description ?? null,
    images: fields.images ?? [],
    livemode: false,
    marketing_features: [],
    metadata: fields.metadata ?? {},
    name: fields.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: "service",
    unit_label: fields.unit_label ?? null,
    updated: created,
    url: fields.url ?? null,
  };
}
