import { previousAttributes } from "../../objects/event.ts";
import type { Event } from "../../objects/event.ts";
import { beforeBasil } from "./before_basil.ts";
import { type Hash, hashAt, isHash } from "./hash.ts";
import { type Lookup, noLookup } from "./lookup.ts";
import { withoutLaterFields } from "./later_fields.ts";
import { olderWords } from "./older_words.ts";

/*
 * How objects are shown. Stored objects have the shape of the newest version and hold everything; a reply or an event
 * shows them as Stripe does in its API version (https://docs.stripe.com/api/versioning).
 */

/** How many elements of an embedded list are shown. The others are on further pages of the list's URL. */
const shownItems = 20;
const shownLines = 10;

/** Returns the object as this API version shows it, with everything inside it. The given object stays unchanged. */
export function render(object: unknown, version: string, lookup: Lookup = noLookup): unknown {
  if (Array.isArray(object)) return object.map((element) => render(element, version, lookup));
  if (!isHash(object)) return object;
  const shown = renderOne(object, version, lookup);
  const entries = Object.entries(shown).map(([key, value]) => [
    key,
    key === "metadata" ? value : render(value, version, lookup),
  ]);
  return Object.fromEntries(entries);
}

/** Returns a snapshot event as this API version shows its object and what changed in it. */
export function renderEvent(event: Event, version: string, lookup: Lookup = noLookup): Event {
  const { object: after, previous_attributes: changed } = event.data;
  const object = render(after, version, lookup) as object;
  if (!changed) return { ...event, data: { object } };
  const before = render(merged(after, changed), version, lookup) as object;
  return { ...event, data: { object, previous_attributes: previousAttributes(before, object) } };
}

function renderOne(object: Hash, version: string, lookup: Lookup): Hash {
  const whole = withShownLists(object);
  return beforeBasil(olderWords(withoutLaterFields(whole, version), version), version, lookup);
}

/** What Stripe derives from the parts of an object. */
function withShownLists(object: Hash): Hash {
  switch (object.object) {
    case "subscription":
      return { ...object, items: shownPart(object.items, shownItems), ...onlyPlan(object) };
    case "invoice":
      return { ...object, lines: shownPart(object.lines, shownLines) };
    default:
      return object;
  }
}

/** `plan` and `quantity`: those of the subscription's only item. Null when it has several items. */
function onlyPlan(subscription: Hash): Hash {
  const data = hashAt(subscription, "items")?.data;
  const [item, ...others] = Array.isArray(data) ? data.filter(isHash) : [];
  if (!item || others.length > 0) return { plan: null, quantity: null };
  return { plan: item.plan, quantity: item.quantity ?? null };
}

function shownPart(list: unknown, most: number): unknown {
  if (!isHash(list) || !Array.isArray(list.data)) return list;
  const { data, has_more: hasMore, ...rest } = list;
  return {
    ...rest,
    data: data.slice(0, most),
    has_more: hasMore === true || data.length > most,
    total_count: list.total_count ?? data.length,
  };
}

/** The object before a change: with the old values of the changed keys. */
function merged(after: object, changed: object): object {
  const before: Hash = { ...after };
  for (const [key, value] of Object.entries(changed)) {
    const is = before[key];
    before[key] = isHash(is) && isHash(value) ? merged(is, value) : value;
  }
  return before;
}
