import { isSince } from "../../objects/api_versions.ts";
import { type Hash, hashAt, without } from "./hash.ts";

const formerModes = new Map([
  ["elements", "custom"],
  ["embedded_page", "embedded"],
  ["hosted_page", "hosted"],
]);

/** Returns the object with names and values that changed between 2025-03-31.basil and now. */
export function olderWords(object: Hash, version: string): Hash {
  switch (object.object) {
    case "checkout.session":
      if (isSince(version, "2026-03-25")) return object;
      return { ...object, ui_mode: formerModes.get(String(object.ui_mode)) ?? object.ui_mode };
    case "discount":
      if (isSince(version, "2025-09-30")) return object;
      return { ...without(object, "source"), coupon: hashAt(object, "source")?.coupon ?? null };
    case "promotion_code":
      if (isSince(version, "2025-09-30")) return object;
      return { ...without(object, "promotion"), coupon: hashAt(object, "promotion")?.coupon ?? null };
    default:
      return object;
  }
}
