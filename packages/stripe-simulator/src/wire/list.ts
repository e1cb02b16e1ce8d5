/** Stripe's envelope for lists, used for replies and inside objects (https://docs.stripe.com/api/pagination). */
export interface List<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  url: string;
}

/** A list that holds every element. */
export function completeList<T>(data: T[], url: string): List<T> {
  return { object: "list", data, has_more: false, url };
}
